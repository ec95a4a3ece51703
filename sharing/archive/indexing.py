"""Keeps true what searches walk along (`models.searched`).

Called in the transaction that adds or changes studies, series or patients. Set-based: the number
of statements doesn't grow with the number of rows.
"""

from collections.abc import Iterable
from typing import Any

from sharing.archive.sql import write
from sharing.archive.summaries import series_attributes, study_summary
from sharing.dicom.names import name_keys, search_key

_LISTED = """
    INSERT INTO archive_listed (study_id, organization_id, modality, day, referrer, summary)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (study_id, modality) DO UPDATE
    SET day = excluded.day, referrer = excluded.referrer, summary = excluded.summary
"""
_NAME = """
    INSERT INTO archive_namekey (patient_id, organization_id, key) VALUES (%s, %s, %s)
    ON CONFLICT (patient_id, key) DO NOTHING
"""


def index_studies(studies: Iterable[Any]) -> None:
    """After studies were inserted, or gained series or modalities. Their patients come along.

    `studies` are `Study` rows, or anything with its columns, `organization_id` and `patient`.
    """
    listed: list[tuple[Any, ...]] = []
    patients: dict[int, Any] = {}
    for study in studies:
        listed += _listed(study)
        patients[study.patient_id] = study.patient
    write(_LISTED, listed)
    index_patients(patients.values())


def reindex_studies(studies: Iterable[Any]) -> None:
    """After studies lost modalities, or their date, patient or any fact of theirs was corrected."""
    studies = list(studies)
    write("DELETE FROM archive_listed WHERE study_id = %s", [(study.pk,) for study in studies])
    index_studies(studies)


def index_patients(patients: Iterable[Any]) -> None:
    """The entries of new patients' names."""
    entries = [
        (patient.pk, patient.organization_id, key)
        for patient in patients
        for key in name_keys(patient.name)
    ]
    write(_NAME, entries)


def reindex_patients(patients: Iterable[Any]) -> None:
    """After names were corrected; the patients' studies need `reindex_studies`, too."""
    patients = list(patients)
    write("DELETE FROM archive_namekey WHERE patient_id = %s", [(one.pk,) for one in patients])
    index_patients(patients)


def index_series(firsts: Iterable[tuple[int, bytes]]) -> None:
    """After series were inserted: the key of each, and its first instance's `metadata` column."""
    told = [(pk, made) for pk, metadata in firsts if (made := series_attributes(metadata))]
    write(
        "UPDATE archive_series SET attributes = %s, performed_day = %s, performed_time = %s"
        " WHERE id = %s",
        [(made.text, made.performed_day, made.performed_time, pk) for pk, made in told],
    )
    write(
        "INSERT INTO archive_requested (series_id, step, procedure) VALUES (%s, %s, %s)",
        [(pk, step, procedure) for pk, made in told for step, procedure in made.requests],
    )


def _listed(study: Any) -> list[tuple[Any, ...]]:
    day = study.study_date
    number = day.year * 10000 + day.month * 100 + day.day if day else 0
    modalities = [word for word in study.modalities.split("|") if word]
    patient = study.patient
    known = patient.certain
    summary = study_summary(
        study_uid=study.study_uid,
        study_date=day,
        study_time=study.study_time,
        accession_number=study.accession_number,
        modalities=modalities,
        referring_physician=study.referring_physician,
        description=study.description,
        patient_name=patient.name,
        identifier=patient.identifier if known else "",
        issuer=patient.issuer if known else "",
        birth_date=patient.birth_date,
        sex=patient.sex,
        study_id=study.study_id,
    )
    at = (study.pk, study.organization_id)
    whole = (*at, "", number, search_key(study.referring_physician)[:400], summary)
    return [whole, *((*at, word[:16], number, "", "") for word in modalities)]
