"""What somebody typed into a search box, as conditions: the one way in which names, numbers, days
and kinds of images are looked up.
"""

from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Concat, Upper

from sharing.archive.models import NameKey, Study
from sharing.archive.queries import understood
from sharing.dicom.names import fold
from sharing.identity.models import Patient
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
    return found.filter(pk__in=_of_the_named(typed.text))


def _of_the_named(text: str) -> QuerySet[Any, Any]:
    """Keys of studies by patient or accession number: each is looked up along its own index, which
    no planner does for the one condition or the other.
    """
    keys = Study.objects.values("pk")
    of_patients = keys.filter(patient__in=named(text))
    return of_patients.union(keys.filter(_begins("accession_key", text)))


def named(text: str) -> QuerySet[Any, Any]:
    """Keys of the patients whose name has each of the words, in any script or as pinyin, or whose
    identifier begins so.
    """
    keys = Patient.objects.values("pk")
    numbered = keys.filter(_begins("identifier_key", text))
    words = fold(text).split()
    if not words:
        return numbered
    return numbered.union(keys.filter(reduce(and_, (Q(pk__in=_entered(word)) for word in words))))


def _begins(key: str, text: str) -> Q:
    """As a range, which row-level policies let an index answer; a pattern they would not."""
    first = Upper(Value(text))
    return Q(**{f"{key}__gte": first, f"{key}__lt": Concat(first, Value(LAST))})


def _entered(word: str) -> QuerySet[Any, Any]:
    """The patients who can be entered at a word that begins so; walked by organization's index."""
    keys = NameKey.objects.filter(organization__in=Organization.objects.all())
    return keys.filter(key__gte=word, key__lt=word + LAST).values("patient")
