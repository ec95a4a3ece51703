"""What other faces tell of studies in the words of their standards: whole, and inside the fence.

`patients_known` is a queryset to be narrowed; `parts_of` reads what lies below studies that were
found.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import F, QuerySet

from sharing.archive.models import Instance, Series, Study
from sharing.identity.models import Patient
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Actor, Duty

from .showing import patients_in_sight


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
    if not (actor.treating or actor.may(Duty.UPLOAD) or actor.may(Duty.RECORD_CONSENT)):
        raise NotAllowed()
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
