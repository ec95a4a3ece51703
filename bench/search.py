"""What searching costs as the archive grows, for its owner and for whoever sees few of its studies.

`python -m bench.search [--studies 20000] [--more 200000]` fills a database of its own by bulk rows
(no files: what is measured are queries and answers), asks each question over and over through the
view without a socket, and prints medians in milliseconds. With --more the same again at that size,
and the ratio. Run it under `python tests/postgres.py` for PostgreSQL.
"""

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

FIRST, DAYS = date(2021, 1, 1), 1800
MODALITIES = ("CT", "MR", "CR", "US", "DX", "MG", "PT", "NM")
HOUSES = ("riverside", "hilltop")
FEW = 40
"""So many studies Hilltop may see."""


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=20_000)
    parser.add_argument("--more", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=200)
    given = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="portal-bench-")
    os.environ.setdefault("DATABASE_URL", "")
    os.environ.update(DATA_DIR=folder, PORTAL_MODE="embedded", PUBLIC_URL="http://bench")
    try:
        _run(given)
    finally:
        shutil.rmtree(folder)


def _run(given: argparse.Namespace) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    import django

    django.setup()
    from django.core.management import call_command

    from sharing.kernel import scope

    with scope.as_house():
        call_command("migrate", verbosity=0)
        _all(given)


def _all(given: argparse.Namespace) -> None:
    world = _world()
    table: dict[str, list[float]] = {}
    start = 0
    for size in (given.studies, given.more):
        if size > start:
            seconds = _fill(world, start, size)
            print(f"{size} studies, filled by bulk rows in {seconds:.0f} s")
            start = size
            for name, value in _measure(world, size, given.rounds):
                table.setdefault(name, []).append(value)
    for name, values in table.items():
        ratio = f"  {values[1] / values[0]:.1f}x" if len(values) > 1 else ""
        print(f"{name:46}" + "".join(f"{value:9.3f} ms" for value in values) + ratio)


def _world() -> dict[str, Any]:
    from sharing.kernel.purposes import Purpose
    from sharing.tenants.models import Organization
    from sharing.tenants.rules import Actor, OrganizationState, Role

    made: dict[str, Any] = {}
    for code in HOUSES:
        organization = Organization.objects.create(
            code=code, name=code, mark=code[:2], state=OrganizationState.ACTIVE,
            facility_identifier=code, country="DE", contact_name="c", contact_email="c@x.example",
            patient_id_issuer=f"1.2.{len(code)}", privacy_officer_name="p",
            privacy_officer_email="p@x.example",
        )  # fmt: skip
        made[code] = organization
        made[f"{code} actor"] = Actor(
            kind="client", id=code, name=code, organization_id=organization.pk,
            organization_code=code, organization_name=code, organization_mark="",
            purpose=Purpose.TREATMENT, roles=frozenset({Role.CLIENT}),
            scopes=frozenset({"dicomweb.read"}),
        )  # fmt: skip
    return made


def _fill(world: dict[str, Any], start: int, size: int) -> float:
    begun = time.perf_counter()
    for first in range(start, size, 5000):
        _page(world, first, min(first + 5000, size))
    if start == 0:
        _slices(world)
        _permits(world)
    _analyse()
    return time.perf_counter() - begun


def _page(world: dict[str, Any], first: int, last: int) -> None:
    from django.db import transaction

    from sharing.archive.indexing import index_studies
    from sharing.archive.models import Series, Study
    from sharing.dicom.names import search_key
    from sharing.identity.models import Patient

    chance = random.Random(first)
    organization = world["riverside"]
    with transaction.atomic():
        names = [f"{_family(number)}^Given{number % 97}" for number in range(first, last)]
        patients = Patient.objects.bulk_create(
            Patient(
                organization=organization, issuer="1.2.9", identifier=f"B-{number:07}", name=name,
                latin=name, search_key=search_key(name), sex="O",
            )
            for number, name in zip(range(first, last), names, strict=True)
        )  # fmt: skip
        studies = Study.objects.bulk_create(
            Study(
                organization=organization, patient=patient, study_uid=f"2.25.{10**9 + number}",
                study_date=FIRST + timedelta(days=chance.randrange(DAYS)),
                study_time="101500", accession_number=f"A{number}", description="Chest",
                modalities=f"|{MODALITIES[number % len(MODALITIES)]}|", series_count=1,
                instance_count=1, state="complete",
            )
            for number, patient in zip(range(first, last), patients, strict=True)
        )  # fmt: skip
        index_studies(studies)
        Series.objects.bulk_create(
            Series(
                study=study, series_uid=f"{study.study_uid}.1", number=1, instance_count=1,
                modality=study.modality_list[0],
            )
            for study in studies
        )  # fmt: skip


def _family(number: int) -> str:
    """A thousand family names, spread over the alphabet."""
    mixed = number * 7919 % 1000
    return chr(65 + mixed % 26) + f"name{mixed:03}"


def _slices(world: dict[str, Any]) -> None:
    """200 instances of the first series, with metadata as large as a CT slice's."""
    from sharing.archive.models import Instance, Series
    from sharing.archive.summaries import summary

    series = Series.objects.select_related("study").order_by("pk").first()
    assert series is not None
    uids = {"study_uid": series.study.study_uid, "series_uid": series.series_uid}
    Instance.objects.bulk_create(
        Instance(
            organization=world["riverside"], series=series, sop_uid=f"{series.series_uid}.{n}",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.2", transfer_syntax="1.2.840.10008.1.2.1",
            number=n, rows=512, columns=512, frames=1, blob="none", offset=0, length=0, sha256="",
            metadata=os.urandom(2000),
            summary=summary(
                **uids, sop_uid=f"{series.series_uid}.{n}", number=n, rows=512, columns=512,
                sop_class_uid="1.2.840.10008.5.1.4.1.1.2", transfer_syntax="1.2.840.10008.1.2.1",
                frames=1, bits_allocated=16,
            ),
        )
        for n in range(1, 201)
    )  # fmt: skip


def _permits(world: dict[str, Any]) -> None:
    """FEW patients of the oldest and of the newest days permit Hilltop to see their studies."""
    from sharing.archive.models import Study
    from sharing.consent.models import Consent, Grantee, Term

    at = datetime(2020, 1, 1, tzinfo=UTC)
    studies = list(Study.objects.order_by("study_date", "pk"))
    chosen = studies[: FEW // 2] + studies[-FEW // 2 :]
    for number, study in enumerate(chosen, 1):
        consent = Consent.objects.create(
            number=number, custodian=world["riverside"], patient=study.patient, since=at,
            decision="permit", starts_at=at, verification="paper", recorded_at=at,
        )  # fmt: skip
        Grantee.objects.create(consent=consent, kind="organization", organization=world["hilltop"])
        for axis, value in (("purpose", "TREAT"), ("action", "discover"), ("action", "images")):
            Term.objects.create(consent=consent, axis=axis, value=value)
    Consent.objects.update(state="active")
    world["shared"] = [(s.study_uid, s.patient.identifier, s.patient.name) for s in chosen]


def _analyse() -> None:
    from django.db import connection

    from portal import rowlevel

    if connection.vendor == "postgresql":  # as its autovacuum does; SQLite has no such servant
        with rowlevel.as_owner(), connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def _measure(world: dict[str, Any], size: int, rounds: int) -> Iterator[tuple[str, float]]:
    owner, few = world["riverside actor"], world["hilltop actor"]
    chance = random.Random(1)

    def number() -> int:
        return chance.randrange(size)

    def dates() -> str:
        day = FIRST + timedelta(days=chance.randrange(DAYS - 90))
        return f"StudyDate={day:%Y%m%d}-{day + timedelta(days=90):%Y%m%d}"

    def prefix() -> str:
        return f"PatientName={_family(number())[:3]}*&limit=50"

    def shared() -> tuple[str, str, str]:
        return chance.choice(world["shared"])

    series = "studies/2.25.1000000000/series/2.25.1000000000.1/instances"
    asked: list[tuple[str, Any, Callable[[], str]]] = [
        ("owner: PatientID", owner, lambda: f"studies?PatientID=B-{number():07}"),
        ("owner: name prefix, limit 50", owner, lambda: f"studies?{prefix()}"),
        ("owner: date + modality, limit 50", owner,
         lambda: f"studies?{dates()}&ModalitiesInStudy=CT&limit=50"),
        ("owner: date, limit 50", owner, lambda: f"studies?{dates()}&limit=50"),
        ("owner: all, limit 50", owner, lambda: "studies?limit=50"),
        ("owner: accession number", owner, lambda: f"studies?AccessionNumber=A{number()}"),
        ("owner: series of modality, limit 50", owner, lambda: "series?Modality=CT&limit=50"),
        ("owner: instances of a 200-slice series", owner, lambda: series),
        ("few: PatientID", few, lambda: f"studies?PatientID={shared()[1]}"),
        ("few: PatientID of a hidden one", few, lambda: f"studies?PatientID=B-{number():07}"),
        ("few: name prefix, limit 50", few,
         lambda: f"studies?PatientName={shared()[2][:3]}*&limit=50"),
        ("few: date + modality, limit 50", few,
         lambda: f"studies?{dates()}&ModalitiesInStudy=CT&limit=50"),
        ("few: all, limit 50", few, lambda: "studies?limit=50"),
        ("few: series of a shared study", few, lambda: f"studies/{shared()[0]}/series"),
    ]  # fmt: skip
    for name, actor, url in asked:
        yield name, _median(actor, url, rounds)


def _median(actor: Any, url: Callable[[], str], rounds: int) -> float:
    from django.test import RequestFactory
    from django.urls import resolve

    from sharing.kernel import scope

    factory, spent = RequestFactory(), []
    for number in range(rounds + 5):
        request = factory.get(f"/dicomweb/{url()}", HTTP_ACCEPT="application/dicom+json")
        request.actor = replace(actor)  # type: ignore[attr-defined]
        found = resolve(request.path)
        begun = time.perf_counter()
        with scope.within(actor.scope):
            response = found.func(request, *found.args, **found.kwargs)
        spent.append((time.perf_counter() - begun) * 1000)
        if response.status_code != 200:
            sys.exit(f"{url()} answered {response.status_code}")
        if number == 0 and os.environ.get("SHOW"):
            print(url(), len(response.content))
    return statistics.median(spent[5:])


if __name__ == "__main__":
    main()
