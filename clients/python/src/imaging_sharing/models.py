"""What the portal tells, as values. What a newer portal adds is left out, nothing is made up."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Self


class _Value:
    """Read from JSON by the names of its fields."""

    @classmethod
    def read(cls, told: dict[str, Any]) -> Self:
        """Of what the portal sent."""
        known = {each.name: told.get(each.name) for each in fields(cls)}  # type: ignore[arg-type]
        return cls(**(known | cls._parts(told)))

    @classmethod
    def _parts(cls, told: dict[str, Any]) -> dict[str, Any]:
        """What of it is a value by itself."""
        return {}


@dataclass(frozen=True)
class Organization(_Value):
    """A custodian, by code and name."""

    code: str
    name: str


@dataclass(frozen=True)
class Me(_Value):
    """Who the caller is to the portal."""

    kind: str
    id: str
    name: str
    organization: str
    organization_name: str
    purpose: str
    roles: list[str]
    scopes: list[str]


@dataclass(frozen=True)
class Patient(_Value):
    """A patient as the custodian knows them."""

    id: str
    identifier: str
    issuer: str
    name: str
    birth_date: str | None
    sex: str

    @property
    def born(self) -> date | None:
        """The birth date, where it is known."""
        return date.fromisoformat(self.birth_date) if self.birth_date else None


@dataclass(frozen=True)
class Series(_Value):
    """A series of a study."""

    series_uid: str
    modality: str
    number: int | None
    description: str
    body_part: str
    laterality: str
    instance_count: int
    frame_count: int


@dataclass(frozen=True)
class Study(_Value):
    """A study that the caller may know of. `series` are there when it was opened by itself."""

    id: str
    study_uid: str
    custodian: Organization
    own: bool
    patient: Patient
    study_date: str | None
    description: str
    accession_number: str
    modalities: list[str]
    series_count: int
    instance_count: int
    state: str
    warnings: list[str]
    ground: dict[str, Any]
    links: dict[str, str]
    series: list[Series]

    @classmethod
    def _parts(cls, told: dict[str, Any]) -> dict[str, Any]:
        return {
            "custodian": Organization.read(told["custodian"]),
            "patient": Patient.read(told["patient"]),
            "series": [Series.read(each) for each in told.get("series", ())],
        }


@dataclass(frozen=True)
class Receipt(_Value):
    """What became of files that were sent: every one is counted."""

    id: str
    state: str
    sent: int
    stored: int
    duplicates: int
    conflicts: int
    rejected: int
    ignored: int
    items: list[dict[str, str]]
    studies: list[dict[str, str]]


@dataclass(frozen=True)
class Share(_Value):
    """A share: who may see which studies, for what, until when."""

    id: str
    custodian: dict[str, str]
    to: dict[str, str] | None
    person: str
    purpose: str
    actions: list[str]
    studies: list[str]
    until: str | None

    @property
    def ends(self) -> datetime | None:
        """When it ends, if it does."""
        return datetime.fromisoformat(self.until) if self.until else None


@dataclass(frozen=True)
class Progress:
    """How far an upload is."""

    name: str
    files_done: int
    files: int
    bytes_done: int
    bytes: int
