"""Which parts of the body a study shows: at receiving, and for what came before that was asked."""

import zlib
from collections.abc import Sequence
from datetime import datetime

import orjson
from django.db import transaction

from sharing.archive.models import Instance, Series, Study
from sharing.archive.sensing import column
from sharing.dicom.regions import BodyRegion, anatomic_codes, regions_of, regions_of_codes
from sharing.outbox.services import promise

from .intake import New
from .past import keep_study

BODY_REGIONS_MOST = 200
AT_ONCE = 500


def regions_in(metadata: bytes | memoryview) -> tuple[BodyRegion, ...]:
    """By Anatomic Region Sequence in an instance's DICOM JSON, as its column keeps it."""
    raw = zlib.decompress(metadata)
    if b'"00082218"' not in raw:
        return ()
    return regions_of_codes(anatomic_codes(orjson.loads(raw)))


def regions_with(before: str, group: Sequence[New]) -> str:
    """The column with what these new instances show, by their Body Part Examined.

    Where nothing is known then, by the anatomic region of the first of them.
    """
    parts = {(new.facts.body_part, new.modality) for new in group}
    found = [region for part in sorted(parts) for region in regions_of(*part)]
    held = [word for word in before.split("|") if word]
    return column([*held, *found] or regions_in(group[0].metadata), BODY_REGIONS_MOST)


@transaction.atomic
def fill_regions(*, after: int, at: datetime) -> int:
    """The regions of studies that say none, a few at a time; how many were filled.

    What is left is promised behind whatever came meanwhile. Safe to call twice.
    """
    rows = Study.objects.select_for_update().filter(pk__gt=after, body_regions="|")
    studies = list(rows.order_by("pk")[:AT_ONCE])
    filled = 0
    for study in studies:
        found = _regions_of(study)
        if found != "|":
            keep_study(study, at)
            study.body_regions = found
            study.save(update_fields=["body_regions"])
            filled += 1
    if len(studies) == AT_ONCE:
        promise("archive.fill_regions", at=at, after=studies[-1].pk)
    return filled


def _regions_of(study: Study) -> str:
    series = Series.objects.filter(study=study).order_by("pk")
    parts = series.values_list("body_part", "modality")
    found = [region for part in parts for region in regions_of(*part)]
    first = Instance.objects.filter(series__study=study).order_by("pk")
    metadata = None if found else first.values_list("metadata", flat=True).first()
    return column(found or (regions_in(metadata) if metadata else ()), BODY_REGIONS_MOST)
