"""The list of all studies in sight: search, facets, sorting, and choosing what to share."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sharing.archive.services.showing import SORTS, Criteria, browse, facets, show
from sharing.tenants.services import Actor, Duty

from . import present
from .doors import actor_of
from .wording import modality_word

ROWS = 25
MOST_CHOICES = 30


@dataclass(frozen=True)
class Choice:
    """One checkbox of a facet."""

    value: str
    word: str
    count: int
    chosen: bool


@dataclass(frozen=True)
class Token:
    """A filter that is set, and the address without it."""

    word: str
    url: str


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """What the actor may know of, narrowed by the address's own query."""
    actor, at = actor_of(request), timezone.now()
    criteria = _criteria(request.GET)
    page = Paginator(browse(actor, criteria, at=at), ROWS).get_page(request.GET.get("page"))
    found = facets(actor, criteria, at=at)
    context = {
        "criteria": criteria,
        "page": page,
        "studies": present.rows(
            show(actor, list(page), at=at), organization_id=actor.organization_id
        ),
        "modalities": _modalities(found.modalities.most_common(MOST_CHOICES), criteria),
        "custodians": _custodians(found.custodians.most_common(MOST_CHOICES), criteria, actor),
        "tokens": _tokens(request.GET, criteria, dict(found.custodians.keys())),
        "may_share": actor.may(Duty.SHARE),
    }
    return render(request, "web/studies/list.html", context)


def _criteria(asked: QueryDict) -> Criteria:
    sort = asked.get("sort", "")
    return Criteria(
        query=asked.get("q", "").strip()[:200],
        modalities=tuple(asked.getlist("modality")[:MOST_CHOICES]),
        custodians=tuple(asked.getlist("custodian")[:MOST_CHOICES]),
        shared=asked.get("shared") == "1",
        own=asked.get("own") == "1",
        sort=sort if sort in SORTS else "-date",
    )


def _modalities(counted: Iterable[tuple[str, int]], criteria: Criteria) -> list[Choice]:
    return [
        Choice(code, modality_word(code), count, code in criteria.modalities)
        for code, count in counted
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
        for (code, name), count in counted
    ]


def _tokens(asked: QueryDict, criteria: Criteria, names: dict[str, str]) -> list[Token]:
    """Every filter that is set; each leads to the list without it, from its first page."""
    flags = [("shared", "1", "Shared")] if criteria.shared else []
    flags += [("own", "1", "Own")] if criteria.own else []
    flags += [("q", criteria.query, f"“{criteria.query}”")] if criteria.query else []
    flags += [("modality", code, modality_word(code)) for code in criteria.modalities]
    flags += [("custodian", code, names.get(code, code)) for code in criteria.custodians]
    return [Token(word, _without(asked, key, value)) for key, value, word in flags]


def _without(asked: QueryDict, key: str, value: str) -> str:
    left = asked.copy()
    left.setlist(key, [each for each in left.getlist(key) if each.strip() != value])
    left.pop("page", None)
    return f"?{left.urlencode()}"
