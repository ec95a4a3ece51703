"""What somebody typed into a search box, as conditions: the one way in which names, numbers, days
and kinds of images are looked up.
"""

from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Q, QuerySet

from sharing.archive.models import NameKey, Study
from sharing.archive.queries import understood
from sharing.dicom.names import fold
from sharing.tenants.models import Organization

LAST = "\U0010ffff"


def fitting(found: QuerySet[Study], query: str) -> QuerySet[Study]:
    """Of the studies those that the words ask for; all of them where nothing was typed."""
    typed = understood(query)
    if typed.modalities:
        words = (Q(modalities__contains=f"|{word}|") for word in typed.modalities)
        found = found.filter(reduce(or_, words))
    if typed.since and typed.until:
        found = found.filter(study_date__range=(typed.since, typed.until))
    if not typed.text:
        return found
    return found.filter(
        named(typed.text, patient="patient") | Q(accession_number__istartswith=typed.text)
    )


def named(text: str, *, patient: str = "") -> Q:
    """Whose name has each of the words, in any script or as pinyin; or whose identifier begins so.

    `patient`: the way to the patient from the rows that are asked; blank for patients themselves.
    """
    numbered = Q(**{f"{patient}__identifier__istartswith".removeprefix("__"): text})
    words = fold(text).split()
    if not words:
        return numbered
    key = f"{patient or 'pk'}__in"
    return numbered | reduce(and_, (Q(**{key: _entered(word)}) for word in words))


def _entered(word: str) -> QuerySet[Any, Any]:
    """The patients who can be entered at a word that begins so; walked by organization's index."""
    keys = NameKey.objects.filter(organization__in=Organization.objects.all())
    return keys.filter(key__gte=word, key__lt=word + LAST).values("patient")
