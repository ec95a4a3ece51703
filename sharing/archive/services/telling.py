"""What other faces tell of studies in the words of their standards: whole, and inside the fence.

`patients_known` and `documents_in_sight` are querysets to be narrowed; `parts_of` and
`document_facts` read more of what was found.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import MD5, Concat, Substr

from sharing.archive.models import Instance, Series, Study
from sharing.identity.models import Patient
from sharing.kernel.purposes import Action
from sharing.tenants.rules import Actor

from .showing import patients_in_sight, require_patients


class Part(NamedTuple):
    """An instance by its facts."""

    sop_uid: str
    sop_class_uid: str
    number: int | None


Parts = dict[int, list[tuple[Series, list[Part]]]]


def patients_known(actor: Actor, *, at: datetime) -> QuerySet[Patient]:
    """The patients of whom the actor may know: as pages show them to those whose work they are.

    A machine knows those of whom it sees a study. Raises NotAllowed.
    """
    require_patients(actor)
    found = patients_in_sight(actor, at=at)
    if actor.kind == "client":
        found = found.filter(pk__in=Study.objects.visible_to(actor, at).values("patient_id"))
    return found


def parts_of(studies: Iterable[Study], *, instances: bool = True) -> Parts:
    """The series of each study, with their instances: by Series Number and Instance Number."""
    keys = [study.pk for study in studies]
    rows = Series.objects.filter(study__in=keys).defer("thumbnail", "attributes")
    below = _instances_of(keys) if instances else {}
    found: Parts = defaultdict(list)
    for row in rows.order_by(F("number").asc(nulls_last=True), "pk"):
        found[row.study_id].append((row, below.get(row.pk, [])))
    return found


def _instances_of(studies: Sequence[int]) -> dict[int, list[Part]]:
    found: dict[int, list[Part]] = defaultdict(list)
    rows = Instance.objects.filter(series__study__in=studies)
    ordered = rows.order_by(F("number").asc(nulls_last=True), "pk")
    columns = ("series_id", "sop_uid", "sop_class_uid", "number")
    for series, *facts in ordered.values_list(*columns):
        found[series].append(Part(*facts))
    return found


_SR = "1.2.840.10008.5.1.4.1.1.88."
KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"
ENCAPSULATED = ("1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.104.2")  # PDF, CDA


def documents_in_sight(actor: Actor, *, at: datetime) -> QuerySet[Any]:
    """Structured reports and encapsulated documents (PS3.4 annex A, O) of the studies whose
    reports the actor may read. `name` says which below its study, without its UID.
    """
    studies = Study.objects.visible_to(actor, at, Action.REPORT)
    kind = Q(sop_class_uid__startswith=_SR) | Q(sop_class_uid__in=ENCAPSULATED)
    digest = Substr(MD5("sop_uid"), 1, 16)  # a name, no secret: both databases have it
    name = Concat(F("series__study__public_id"), Value("-"), digest, output_field=CharField())
    found = Instance.objects.filter(kind, series__study__in=studies)
    return (
        found.exclude(sop_class_uid=KEY_OBJECTS)
        .annotate(name=name)
        .select_related("series__study__patient", "series__study__organization")
        .defer("layout", "summary", "series__thumbnail", "series__attributes")
    )


class DocumentFacts(NamedTuple):
    """What a document says of itself."""

    title: str
    code: tuple[str, str]  # coding scheme, code value; blank where it names none
    complete: bool
    verified: bool


def document_facts(row: Instance) -> DocumentFacts:
    """By Document Title (0042,0010), the concept name of its root (0040,A043), Completion Flag
    (0040,A491) and Verification Flag (0040,A493).
    """
    whole = orjson.loads(zlib.decompress(row.metadata))
    concept = (whole.get("0040A043", {}).get("Value") or [{}])[0]
    code = _text(concept, "00080102"), _text(concept, "00080100")
    return DocumentFacts(
        title=_text(whole, "00420010") or _text(concept, "00080104"),
        code=code if all(code) else ("", ""),
        complete=_text(whole, "0040A491") != "PARTIAL",
        verified=_text(whole, "0040A493") == "VERIFIED",
    )


def _text(made: dict[str, Any], tag: str) -> str:
    value = (made.get(tag, {}).get("Value") or [""])[0]
    return value if isinstance(value, str) else ""
