"""The region's console: how the organizations do, what waits, what is used and how it grows."""

import shutil
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from sharing.blobs import is_sound
from sharing.office import services as office
from sharing.office.rules import forecast, months_until
from sharing.tenants import services
from sharing.tenants.services import Actor

from . import charts
from .doors import actor_of
from .usage import MONTHS as YEAR
from .usage import charts_of, csv_of
from .words import month as month_word
from .words import span

AHEAD = 6
UNITS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """A scorecard line for each organization. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    cards = office.region_cards(actor, at=at)
    work = office.region_work(actor, at=at)
    found = services.applications(actor)
    days = _together(cards)
    lacking = sum(card.without_second_factor for card in cards)
    figures = (
        ("Active organizations", found.filter(state="active").count(), "of the region"),
        ("Wait for you", found.filter(state__in=("verified", "tested")).count(), "on their way in"),
        ("Jobs given up", sum(each.count for each in work.parked), "look under Jobs and health"),
        ("Without second factor", lacking, "people in all"),
    )
    context = {
        "stats": [{"word": word, "value": value, "more": more} for word, value, more in figures],
        "chart": charts.days(days),
        "days": days,
        "rows": [(card, _worst(card), _spark(card)) for card in cards],
    }
    return render(request, "web/offices/overview.html", context)


def _together(cards: list[office.Card]) -> list[tuple[Any, int, int]]:
    """Images stored and refused by day, of all, oldest first."""
    by_day = zip(*(card.days for card in cards), strict=True)
    return [(day[0][0], sum(d[1] for d in day), sum(d[2] for d in day)) for day in by_day]


def _spark(card: office.Card) -> list[charts.Bar]:
    return charts.spark([stored for _, stored, _ in card.days])


def _worst(card: office.Card) -> tuple[str, str, str]:
    """The chip of an organization: what an operator should look at first."""
    if card.organization.state == "suspended":
        return "Suspended", "pause", "no"
    if card.tests and not card.tests[0].passed:
        return "Connection fails", "x-lg", "no"
    if card.waiting_since:
        return "Deliveries wait", "hourglass-split", "wait"
    return ("Well", "check-lg", "ok") if card.tests else ("Not tested", "dash", "")


@require_http_methods(["GET", "HEAD", "POST"])
def work(request: HttpRequest) -> HttpResponse:
    """Jobs, outbox, what was set aside, and whether the portal is sound. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    if request.method == "POST":
        return _tried_again(request, actor, at)
    found = office.region_work(actor, at=at)
    context = {
        "work": found,
        "chart": _by_hour(found),
        "sound": is_sound(),
        "aside": [row for row in found.aside if any(row[1:])],
    }
    return render(request, "web/offices/work.html", context)


def _tried_again(request: HttpRequest, actor: Actor, at: datetime) -> HttpResponse:
    count = office.try_again(task=request.POST.get("task", ""), by=actor, at=at)
    jobs = span(count, "job")
    if count:
        messages.success(request, f"Tried again: {jobs}.")
    else:
        messages.info(request, "Nothing of it is given up any more.")
    return redirect("web:region-work")


def _by_hour(work: office.Work) -> charts.Chart:
    """Done, waiting and given up by the hour; before them what was left open earlier."""
    labels = ["<", *(f"{each.began:%H}" for each in work.hours[1:])]
    stacks = [
        {"done": each.done, "waiting": each.waiting, "given up": each.given_up}
        for each in work.hours
    ]
    order = (("done", "f-own"), ("waiting", "f-imp"), ("given up", "f-btg"))
    return charts.stacked(labels, stacks, order)


@require_safe
def usage(request: HttpRequest) -> HttpResponse:
    """Usage by organization and month, storage and its growth. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    used = office.region_usage(actor, months=YEAR, at=at)
    context = {
        "charts": charts_of(used),
        "growth": _growth(used),
        "rows": [(rows[0].organization, _sum(rows)) for rows in _by_organization(used)],
    }
    return render(request, "web/offices/usage.html", context)


@require_safe
def usage_table(request: HttpRequest) -> HttpResponse:
    """The same as CSV, a line for each organization and month. Raises NotAllowed."""
    used = office.region_usage(actor_of(request), months=YEAR, at=timezone.now())
    return csv_of(used, "usage-region")


def _by_organization(used: office.Usage) -> list[list[office.Used]]:
    keys = dict.fromkeys(row.organization.pk for row in used.rows)
    return [used.of(key) for key in keys]


def _sum(rows: list[office.Used]) -> dict[str, int]:
    names = ("studies", "bytes", "views", "shares")
    said = {name: sum(getattr(row, name) for row in rows) for name in names}
    return said | {"people": rows[-1].people}


def _growth(used: office.Usage) -> dict[str, Any]:
    """What is held, what it will be, and when the disk is full at this growth."""
    held, months = office.held_bytes(), used.sums("bytes")
    disk = shutil.disk_usage(settings.DATA_DIR)
    whole = months[:-1]
    ahead = forecast(whole, ahead=AHEAD)
    grown = [sum(months[: place + 1]) for place in range(len(months))]
    base = held - sum(months)
    bars = [{"held": base + value} for value in grown]
    bars += [{"forecast": max(0, base + value)} for value in ahead]
    labels = [month_word(each.month) for each in used.months]
    labels += [f"+{number}" for number in range(1, AHEAD + 1)]
    size, unit = _unit(max(value for bar in bars for value in bar.values()))
    scaled = [{name: round(value / size, 1) for name, value in bar.items()} for bar in bars]
    rounded = [{name: round(value) for name, value in bar.items()} for bar in scaled]
    return {
        "held": held,
        "free": disk.free,
        "until": months_until(held + disk.free, held, whole),
        "chart": charts.stacked(labels, rounded, (("held", "f-own"), ("forecast", "f-imp"))),
        "unit": unit,
        "table": [(label, bar) for label, bar in zip(labels, scaled, strict=True)],
    }


def _unit(most: int) -> tuple[int, str]:
    """The unit in which the largest bar is a number of two digits or more."""
    fits = ((size, word) for size, word in UNITS if most >= 10 * size)
    return next(fits, UNITS[-1])
