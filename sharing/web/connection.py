"""The connectivity desk: an organization tests its own connection and sees how it has done."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from sharing.kernel.saying import said
from sharing.office import services as office
from sharing.office.rules import Verdict
from sharing.tenants import services

from . import charts, words
from .doors import actor_of
from .organization import frame
from .papers import table_as_pdf

VERDICTS = {  # verdict -> word, icon, kind of chip
    Verdict.PASSED: ("Passed", "check-lg", "ok"),
    Verdict.FAILED: ("Failed", "x-lg", "no"),
    Verdict.SKIPPED: ("Not tried", "dash", ""),
}


@require_http_methods(["GET", "HEAD", "POST"])
def desk(request: HttpRequest) -> HttpResponse:
    """The scorecard, and a button that tests. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    own = services.organization_to_run(actor)
    if request.method == "POST":
        test = office.ask_test(by=actor, at=at)
        return redirect("web:connection-test", public_id=test.public_id)
    card = office.own_card(actor, at=at)
    context = frame(own) | {
        "card": card,
        "chart": charts.days(card.days),
        "nights": _nights(card),
        "last": card.tests[0] if card.tests else None,
        "results": _shown(card.tests[0]) if card.tests else [],
    }
    return render(request, "web/organization/connection.html", context)


@require_safe
def show(request: HttpRequest, public_id: str) -> HttpResponse:
    """One test, while it runs and after. Raises NotAllowed, RunNotFound."""
    actor = actor_of(request)
    test = office.link_test(actor, public_id=public_id)
    own = services.organization_to_run(actor)
    context = frame(own) | {"test": test, "results": _shown(test)}
    response = render(request, "web/organization/connection_test.html", context)
    if test.ended_at is None:
        response["Refresh"] = "2"
    return response


@require_safe
def report(request: HttpRequest, public_id: str) -> HttpResponse:
    """The same as a paper for the file. Raises NotAllowed, RunNotFound."""
    actor = actor_of(request)
    test = office.link_test(actor, public_id=public_id)
    own = services.organization_to_run(actor)
    if test.ended_at is None:
        messages.error(request, "The test is still running.")
        return redirect("web:connection-test", public_id=public_id)
    rows = [
        (said(r.label), said(VERDICTS[r.verdict][0]), f"{said(r.said)} {said(r.todo)}".strip())
        for r in test.told
    ]
    paper = table_as_pdf(
        title=f"Connection of {own.name}",
        sentences=(
            f"{'Passed' if test.passed else 'Not passed'} on {words.moment(test.ended_at)} UTC.",
            f"Asked for by {test.asked_by}. Test {test.public_id}.",
        ),
        head=(said("Tried"), said("Result"), said("What was found, what to do")),
        rows=rows,
        widths=(52, 22, 104),
    )
    name = f'attachment; filename="connection-{own.code}.pdf"'
    return HttpResponse(
        paper, content_type="application/pdf", headers={"Content-Disposition": name}
    )


def _shown(test: Any) -> list[tuple[Any, tuple[str, str, str]]]:
    return [(result, VERDICTS[result.verdict]) for result in test.told]


def _nights(card: office.Card) -> list[charts.Bar]:
    """A box for each of the last tests, oldest first; what failed is taller and of its colour."""
    return [
        charts.Bar(20 * place, 4, 14, 12, "f-own")
        if test.passed
        else charts.Bar(20 * place, 0, 14, 16, "f-btg")
        for place, test in enumerate(reversed(card.tests))
    ]
