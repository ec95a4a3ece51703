"""Finding and naming patients."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import QuerySet

from sharing.dicom.names import display_name, search_key
from sharing.kernel.bulk import insert, read
from sharing.kernel.sql import Row, chunks, marks
from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization
from sharing.tenants.rules import Actor

from .errors import PatientNotFound
from .models import Patient

UNIDENTIFIED = "unidentified"
"""The issuer of those whom no identifier names: their identity is uncertain."""


class Person(NamedTuple):
    """A patient as one file names them."""

    identifier: str
    issuer: str
    name: str
    birth_date: date | None
    sex: str


class PatientName(NamedTuple):
    """How a person at the bedside names a patient: identifier, who issued it, birth date."""

    issuer: str
    identifier: str
    birth_date: date | None


class Known(NamedTuple):
    """A patient as the custodian knows them."""

    pk: int
    public_id: str
    organization_id: int
    issuer: str
    identifier: str
    name: str
    search_key: str
    birth_date: date | None
    sex: str
    certain: bool


def identify(*, organization: Organization, persons: Iterable[Person]) -> dict[Person, Known]:
    """The custodian's patients whom these are, made when new. Call it inside a transaction.

    Without an issuer in the file the organization's own is meant. Without an identifier nobody
    is known: each such name and birth date is a patient of uncertain identity, visible to the
    custodian only. The same goes for an identifier that comes with another name and another birth
    date than its patient has: it is not believed. Later files never rename a patient.
    """
    named = {person: _named(organization, person) for person in persons}
    known = _ensured(organization, named)
    doubted = {
        person: _doubtful(person)
        for person, name in named.items()
        if _contradicts(known[name], person)
    }
    known |= _ensured(organization, doubted)
    return {person: known[name] for person, name in (named | doubted).items()}


def known_patients(keys: Iterable[int]) -> dict[int, Known]:
    """Patients by their primary keys."""
    wanted = sorted(set(keys))
    found = (row for some in chunks(wanted) for row in _read("id IN ({})", (), some))
    return {row[0]: Known._make(row) for row in found}


def is_named(patient: Known, *, organization: Organization, person: Person) -> bool:
    """Whether `identify` would find this very patient."""
    if (patient.issuer, patient.identifier) == _named(organization, person):
        return not _contradicts(patient, person)
    same_person = (patient.search_key, patient.birth_date) == (_key(person), person.birth_date)
    return (
        not patient.certain
        and same_person
        and patient.identifier.startswith(person.identifier[:20])
    )


def standing_of(organization: Organization, person: Person) -> tuple[bool, bool]:
    """Whether the organization knows the identifier, and whether it is somebody else's there."""
    name = _named(organization, person)
    known = _found(organization, {name}).get(name)
    return known is not None, known is not None and _contradicts(known, person)


def namesakes(organization: Organization, person: Person) -> QuerySet[Patient]:
    """Patients there of the same birth date and name under another identifier, for certain.

    A name that stands in one script only is that of somebody known in two.
    """
    words = _key(person).split()
    if not words or person.birth_date is None:
        return Patient.objects.none()
    issuer, identifier = _named(organization, person)
    born = Patient.objects.filter(
        organization=organization,
        search_key__startswith=words[0],  # along the index of names
        birth_date=person.birth_date,
        certain=True,
    ).exclude(issuer=issuer, identifier=identifier)
    same = [pk for pk, key in born.values_list("pk", "search_key") if _alike(words, key.split())]
    return Patient.objects.filter(pk__in=same).order_by("pk")


def _alike(one: Sequence[str], other: Sequence[str]) -> bool:
    return set(one) <= set(other) or set(other) <= set(one)


def known_as(patient: Patient) -> Known:
    """The row as the services of receiving know it."""
    return known_patients([patient.pk])[patient.pk]


def _ensured(
    organization: Organization, named: Mapping[Person, tuple[str, str]]
) -> dict[tuple[str, str], Known]:
    """The patients of these issuers and identifiers; who is missing is as the first file says."""
    found = _found(organization, set(named.values()))
    missing = {name: person for person, name in reversed([*named.items()]) if name not in found}
    if missing:
        # In one order everywhere, so that two deliveries never wait for each other.
        rows = (_row(organization, name, missing[name]) for name in sorted(missing))
        insert(Patient, _COLUMNS, rows, ignore=True)
        found |= _found(organization, set(missing))
    return found


def _found(organization: Organization, names: set[tuple[str, str]]) -> dict[tuple[str, str], Known]:
    found: dict[tuple[str, str], Known] = {}
    by_issuer: dict[str, list[str]] = defaultdict(list)
    for issuer, identifier in sorted(names):
        by_issuer[issuer].append(identifier)
    for issuer, identifiers in by_issuer.items():
        for some in chunks(identifiers):
            for row in _read(_NAMED, (organization.pk, issuer), some):
                known = Known._make(row)
                found[known.issuer, known.identifier] = known
    return found


_NAMED = "organization_id = %s AND issuer = %s AND identifier IN ({})"


def _read(condition: str, params: Sequence[Any], some: Sequence[Any]) -> list[Row]:
    columns = ("id", *Known._fields[1:])
    return read(Patient, columns, condition.format(marks(some)), [*params, *some])


_COLUMNS = (
    "public_id", "organization_id", "issuer", "identifier", "name", "latin", "native",
    "search_key", "birth_date", "sex", "certain",
)  # fmt: skip


def _row(organization: Organization, name: tuple[str, str], person: Person) -> tuple[Any, ...]:
    latin, native = display_name(person.name)
    return (
        public_id(), organization.pk, *name, person.name[:324], latin[:200], native[:120],
        _key(person), person.birth_date, person.sex[:1], name[0] != UNIDENTIFIED,
    )  # fmt: skip


@lru_cache(maxsize=1024)
def _key_of(name: str) -> str:
    return search_key(name)[:400]


def _key(person: Person) -> str:
    return _key_of(person.name)


def _contradicts(patient: Known, person: Person) -> bool:
    """Another name and another birth date: one of them alone is a typing error or a marriage."""
    other_date = person.birth_date is not None and patient.birth_date not in (
        None,
        person.birth_date,
    )
    key = _key(person) if other_date else ""
    return bool(key and patient.search_key) and key != patient.search_key


def _named(organization: Organization, person: Person) -> tuple[str, str]:
    """The issuer and the identifier that a file's patient goes by."""
    if not person.identifier:
        return UNIDENTIFIED, f"{_key(person)[:50]}|{person.birth_date or ''}"
    return (person.issuer or organization.patient_id_issuer)[:64], person.identifier[:64]


def _doubtful(person: Person) -> tuple[str, str]:
    return UNIDENTIFIED, f"{person.identifier[:20]}|{_key(person)[:30]}|{person.birth_date}"


def own_patients(actor: Actor, *, query: str = "") -> QuerySet[Patient]:
    """The acting organization's own patients, by name or identifier."""
    found = Patient.objects.filter(organization_id=actor.organization_id)
    if query:
        by_name = found.filter(search_key__contains=search_key(query))
        found = by_name | found.filter(identifier__istartswith=query)
    return found.order_by("search_key", "pk")


def named_patient(*, organization_id: int, identifier: str, birth_date: date) -> Patient | None:
    """Whom an identifier and a birth date name there for certain; None for nobody, or for two."""
    found = Patient.objects.filter(
        organization_id=organization_id, identifier=identifier, birth_date=birth_date, certain=True
    )
    rows = list(found.order_by("pk")[:2])
    return rows[0] if len(rows) == 1 else None


def patients_named(name: PatientName) -> QuerySet[Patient]:
    """What the custodians of the region know under that name, for certain: one patient of each."""
    found = Patient.objects.filter(**name._asdict(), certain=True)
    return found.select_related("organization").order_by("pk")


def own_patient(actor: Actor, *, public_id: str) -> Patient:
    """One of the acting organization's own patients. Raises PatientNotFound."""
    try:
        return Patient.objects.select_related("organization").get(
            public_id=public_id, organization_id=actor.organization_id
        )
    except Patient.DoesNotExist:
        raise PatientNotFound() from None
