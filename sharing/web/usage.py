"""What was used, by organization and month: a page and a table that leaves."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sharing.office import services as office
from sharing.tenants import services

from . import charts, words
from .doors import actor_of
from .organization import frame
from .tables import as_csv

MONTHS = 12
HEAD = ("Organization", "Month", "Studies", "Bytes", "People", "Views", "Shares")
NAMES = ("studies", "bytes", "people", "views", "shares")


@require_safe
def own(request: HttpRequest) -> HttpResponse:
    """Of the own organization. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    used = office.own_usage(actor, months=MONTHS, at=at)
    held = services.organization_to_run(actor)
    context = frame(held) | {
        "rows": list(reversed(used.rows)),
        "charts": charts_of(used),
        "held": office.held_bytes(held),
        "quota": held.quota_bytes,
    }
    return render(request, "web/organization/usage.html", context)


@require_safe
def own_table(request: HttpRequest) -> HttpResponse:
    """The same as CSV. Raises NotAllowed."""
    used = office.own_usage(actor_of(request), months=MONTHS, at=timezone.now())
    return csv_of(used, "usage")


def charts_of(used: office.Usage) -> list[tuple[str, str, charts.Chart]]:
    """(word, sum in words, chart) of studies, views and shares by month."""
    labels = [words.month(each.month) for each in used.months]
    made = []
    for name, word in (("studies", "Studies received"), ("views", "Views"), ("shares", "Shares")):
        values = used.sums(name)
        chart = charts.stacked(labels, [{name: value} for value in values], ((name, "f-own"),))
        made.append((word, f"{sum(values):,} in {len(values)} months", chart))
    return made


def csv_of(used: office.Usage, name: str) -> HttpResponse:
    """All rows as a table that no spreadsheet calculates."""
    rows: Sequence[Sequence[Any]] = [
        (row.organization.name, f"{row.month:%Y-%m}", *(getattr(row, each) for each in NAMES))
        for row in used.rows
    ]
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return HttpResponse(as_csv(HEAD, rows), content_type="text/csv; charset=utf-8", headers=headers)
