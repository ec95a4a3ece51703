"""The region's operator decides who joins."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from sharing.kernel.errors import Absent, BadValue
from sharing.kernel.lifecycle import NotNow
from sharing.tenants import services
from sharing.tenants.services import Actor

from .doors import actor_of
from .forms.joining import AskForm, RefuseForm

ROWS = 25
STATES = {  # state -> word, icon, kind of chip
    "applied": ("Address not confirmed", "envelope", ""),
    "verified": ("Waits for you", "hourglass-split", "wait"),
    "asked": ("Asked, waits for them", "chat-left-text", "info"),
    "active": ("Active", "check-lg", "ok"),
    "suspended": ("Suspended", "pause", "no"),
    "refused": ("Refused", "x-lg", "no"),
    "closed": ("Closed", "archive", ""),
}
FILTERS = (("verified", "Waiting"), ("asked", "Asked"), ("active", "Active"), ("all", "All"))


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """All applications, those that wait first to see."""
    found = services.applications(actor_of(request))
    waiting = found.filter(state="verified").count()
    state = request.GET.get("state", "verified" if waiting else "all")
    if state in STATES:
        found = found.filter(state=state)
    page = Paginator(found, ROWS).get_page(request.GET.get("page"))
    rows = [(organization, STATES[organization.state]) for organization in page]
    context = {"rows": rows, "page": page, "state": state, "filters": FILTERS, "waiting": waiting}
    return render(request, "web/operator/applications.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, code: str) -> HttpResponse:
    """One application: ask, approve, refuse."""
    actor = actor_of(request)
    organization = _application(actor, code)
    forms = {"ask": AskForm(prefix="ask"), "refuse": RefuseForm(prefix="refuse")}
    if request.method == "POST":
        try:
            said = _do(request, actor, organization, forms, timezone.now())
        except NotNow:
            messages.error(request, "The application has moved on. Nothing was changed now.")
            return redirect("web:application", code=code)
        if said:
            messages.success(request, said)
            return redirect("web:application", code=code)
    context = {
        "organization": organization,
        "chip": STATES[organization.state],
        "steps": steps_of(organization.state),
        "forms": forms,
        "wrong": next((name for name, form in forms.items() if form.errors), ""),
    }
    status = 422 if context["wrong"] else 200
    return render(request, "web/operator/application.html", context, status=status)


def steps_of(state: str) -> dict[str, bool]:
    """Which decisions are open in that state: the page offers no other."""
    return {
        "ask": state == "verified",
        "approve": state == "verified",
        "refuse": state in {"verified", "asked"},
    }


def _application(actor: Actor, code: str) -> Any:
    organization = services.applications(actor).filter(code=code).first()
    if organization is None:
        raise Absent()
    return organization


def _do(
    request: HttpRequest, actor: Actor, organization: Any, forms: dict[str, Any], at: datetime
) -> str:
    """Carry one decision out and say so; "" when its form is wrong. Raises NotNow, BadValue."""
    decisions: dict[str, Callable[..., str]] = {"ask": _ask, "approve": _approve, "refuse": _refuse}
    decision = request.POST.get("decision", "")
    if decision not in decisions:
        raise BadValue("Choose what to decide.")
    if decision in forms:
        form = forms[decision] = type(forms[decision])(request.POST, prefix=decision)
        if not form.is_valid():
            return ""
        return decisions[decision](actor, organization, form.cleaned_data, at)
    return decisions[decision](actor, organization, at)


def _ask(actor: Actor, organization: Any, said: dict[str, str], at: datetime) -> str:
    services.ask(organization=organization, question=said["question"], by=actor, at=at)
    return f"The question is on its way to {organization.contact_name}."


def _approve(actor: Actor, organization: Any, at: datetime) -> str:
    services.approve(organization=organization, by=actor, at=at)
    return f"{organization.name} is active. {organization.contact_name} gets an e-mail to begin."


def _refuse(actor: Actor, organization: Any, said: dict[str, str], at: datetime) -> str:
    services.refuse(organization=organization, reason=said["reason"], by=actor, at=at)
    return f"{organization.name} was refused. {organization.contact_name} gets the reason."
