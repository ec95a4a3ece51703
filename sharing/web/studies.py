"""The list of all studies in sight: search, facets, sorting, and choosing what to share."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sharing.archive.services.listing import (
    PERIODS,
    SORTS,
    Criteria,
    Facets,
    browse,
    counted,
    facets,
    looked_up,
)
from sharing.archive.services.remembering import new_among, searches_of
from sharing.archive.services.showing import show
from sharing.tenants.services import Actor, Duty

from . import present
from .doors import actor_of
from .wording import modality_word

ROWS = 25
MOST_CHOICES = 30
_region = str.capitalize  # as BodyRegion.words: what stands in an address may be no region


@dataclass(frozen=True)
class Choice:
    """One checkbox of a facet."""

    value: str
    word: str
    count: int
    chosen: bool


@dataclass(frozen=True)
class Facet:
    """A group of them; `key` is its name in the address."""

    key: str
    word: str
    choices: list[Choice]


@dataclass(frozen=True)
class Token:
    """A filter that is set, and the address without it."""

    word: str
    url: str


PERIOD_WORDS = {"month": "Last 30 days", "year": "Last 12 months", "older": "Older"}
FLAGS = {"shared": "Shared with us", "own": "Our own", "unopened": "Unread", "ending": "Ends soon"}


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """What the actor may know of, narrowed by the address's own query."""
    actor, at = actor_of(request), timezone.now()
    criteria = _criteria(request.GET)
    left, inside = looked_up(actor, criteria, at=at)
    found = facets(actor, left, at=at, inside=inside)
    listed = browse(actor, left, at=at, inside=inside)
    # Counted already where nothing was left out; again it takes as long as the page.
    left_out = criteria.by_facets or found.since
    count, more = counted(listed) if left_out else (found.total, False)
    pages = Paginator(listed, ROWS)
    pages.count = count
    page = pages.get_page(request.GET.get("page"))
    studies = list(page)
    context = {
        "criteria": criteria,
        "page": page,
        "more": more,
        "since": found.since,
        "studies": present.rows(
            show(actor, studies, at=at),
            organization_id=actor.organization_id,
            new=new_among(actor, studies),
        ),
        "flags": [Choice(key, word, 0, getattr(criteria, key)) for key, word in FLAGS.items()],
        "facets": _facets(found, criteria, actor),
        "tokens": _tokens(request.GET, criteria, dict(found.custodians.keys())),
        "may_share": actor.may(Duty.SHARE),
        "saved": searches_of(actor),
        "query": kept(request.GET),
    }
    return render(request, "web/studies/list.html", context)


def kept(asked: QueryDict) -> str:
    """The part of an address that is worth a name: what narrows the list, and its order."""
    known = QueryDict(mutable=True)
    for key in ("q", "modality", "custodian", "region", "period", *FLAGS, "sort"):
        values = [value for value in asked.getlist(key)[:MOST_CHOICES] if value]
        if values and (key, values) != ("sort", ["-date"]):
            known.setlist(key, values)
    return known.urlencode()


def _criteria(asked: QueryDict) -> Criteria:
    sort = asked.get("sort", "")
    return Criteria(
        query=asked.get("q", "").strip()[:200],
        modalities=tuple(asked.getlist("modality")[:MOST_CHOICES]),
        custodians=tuple(asked.getlist("custodian")[:MOST_CHOICES]),
        regions=tuple(asked.getlist("region")[:MOST_CHOICES]),
        periods=tuple(each for each in PERIODS if each in asked.getlist("period")),
        **{key: asked.get(key) == "1" for key in FLAGS},
        sort=sort if sort in SORTS else "-date",
    )


def _facets(found: Facets, criteria: Criteria, actor: Actor) -> list[Facet]:
    """The groups of choices that have any."""
    periods = [
        (each, found.periods[each]) for each in PERIODS if found.periods[each] or found.since
    ]
    groups = [
        Facet(
            "modality",
            "Modality",
            _choices(found.modalities.most_common(), criteria.modalities, modality_word),
        ),
        Facet(
            "period", "Study date", _choices(periods, criteria.periods, PERIOD_WORDS.__getitem__)
        ),
        Facet(
            "region",
            "Body region",
            _choices(found.regions.most_common(), criteria.regions, _region),
        ),
        Facet(
            "custodian", "Custodian", _custodians(found.custodians.most_common(), criteria, actor)
        ),
    ]
    return [each for each in groups if each.choices]


def _choices(
    counted: Iterable[tuple[str, int]], chosen: Sequence[str], word: Callable[[str], str]
) -> list[Choice]:
    return [
        Choice(value, word(value), count, value in chosen)
        for value, count in list(counted)[:MOST_CHOICES]
    ]


def _custodians(
    counted: Iterable[tuple[tuple[str, str], int]], criteria: Criteria, actor: Actor
) -> list[Choice]:
    return [
        Choice(
            code,
            f"{name} (yours)" if code == actor.organization_code else name,
            count,
            code in criteria.custodians,
        )
        for (code, name), count in list(counted)[:MOST_CHOICES]
    ]


def _tokens(asked: QueryDict, criteria: Criteria, names: dict[str, str]) -> list[Token]:
    """Every filter that is set; each leads to the list without it, from its first page."""
    found = [(key, "1", word) for key, word in FLAGS.items() if getattr(criteria, key)]
    found += [("q", criteria.query, f"“{criteria.query}”")] if criteria.query else []
    found += [("modality", code, modality_word(code)) for code in criteria.modalities]
    found += [("period", each, PERIOD_WORDS[each]) for each in criteria.periods]
    found += [("region", each, _region(each)) for each in criteria.regions]
    found += [("custodian", code, names.get(code, code)) for code in criteria.custodians]
    return [Token(word, _without(asked, key, value)) for key, value, word in found]


def _without(asked: QueryDict, key: str, value: str) -> str:
    left = asked.copy()
    left.setlist(key, [each for each in left.getlist(key) if each.strip() != value])
    left.pop("page", None)
    return f"?{left.urlencode()}"
