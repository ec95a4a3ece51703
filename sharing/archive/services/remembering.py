"""What is new to a person, what they opened lately, and the searches they keep."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from sharing.archive.errors import SearchNotFound, TooManySearches
from sharing.archive.models import Opening, SavedSearch, Study
from sharing.tenants.rules import Actor

MOST_SEARCHES = 20
LATELY = 50


def remember_opening(actor: Actor, study: Study, *, at: datetime) -> None:
    """The study is no longer new to this person; bearers of links and machines have no list."""
    if actor.user_id is None:
        return
    Opening.objects.update_or_create(study=study, **_mine(actor), defaults={"opened_at": at})


def unopened(studies: QuerySet[Study], actor: Actor) -> QuerySet[Study]:
    """Of others' studies those that this person has not opened for this organization."""
    opened = Opening.objects.filter(study=OuterRef("pk"), **_mine(actor))
    return studies.exclude(organization_id=actor.organization_id).filter(~Exists(opened))


def new_among(actor: Actor, studies: Iterable[Study]) -> set[str]:
    """The public ids of those among these studies that are new to the person."""
    others = [each.pk for each in studies if each.organization_id != actor.organization_id]
    if actor.user_id is None or not others:
        return set()
    return set(
        unopened(Study.objects.filter(pk__in=others), actor).values_list("public_id", flat=True)
    )


def opened_lately(studies: QuerySet[Study], actor: Actor) -> list[Study]:
    """Of these the ones that the person opened, the latest first."""
    mine = Opening.objects.filter(**_mine(actor)).order_by("-opened_at", "-pk")
    order = list(mine.values_list("study_id", flat=True)[:LATELY])
    found = {study.pk: study for study in studies.filter(pk__in=order)}
    return [found[key] for key in order if key in found]


def searches_of(actor: Actor) -> QuerySet[SavedSearch]:
    """The searches that the person keeps, by name."""
    return SavedSearch.objects.filter(**_mine(actor)).order_by("name", "pk")


@transaction.atomic
def save_search(*, name: str, query: str, by: Actor, at: datetime) -> SavedSearch:
    """Keep a search; one of the same name is replaced. Raises TooManySearches."""
    kept = searches_of(by)
    if kept.count() >= MOST_SEARCHES and not kept.filter(name=name).exists():
        raise TooManySearches()
    saved, _ = SavedSearch.objects.update_or_create(
        **_mine(by), name=name, defaults={"query": query, "saved_at": at}
    )
    return saved


def forget_search(*, public_id: str, by: Actor) -> None:
    """Raises SearchNotFound where the person keeps none of that id."""
    deleted, _ = searches_of(by).filter(public_id=public_id).delete()
    if not deleted:
        raise SearchNotFound()


def _mine(actor: Actor) -> dict[str, Any]:
    return {"organization_id": actor.organization_id, "reader": actor.id}
