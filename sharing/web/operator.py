"""The region's operator decides who joins, rests and leaves."""

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
from sharing.office import services as office
from sharing.office.errors import ExportMissing, SamePerson
from sharing.tenants import services
from sharing.tenants.rules import NEXT, OrganizationEvent, OrganizationState
from sharing.tenants.services import Actor

from .closing import closing
from .doors import actor_of
from .forms.joining import AskForm, RefuseForm, WhyForm
from .forms.organization import QuotaForm

Decision = Callable[[Actor, Any, dict[str, str], datetime], str]

ROWS = 25
STATES = {  # state -> word, icon, kind of chip
    "applied": ("Address not confirmed", "envelope", ""),
    "verified": ("Documents to check", "hourglass-split", "wait"),
    "asked": ("Asked, waits for them", "chat-left-text", "info"),
    "checked": ("Terms to sign", "pencil-square", "info"),
    "signed": ("Connection to test", "hdd-network", "info"),
    "tested": ("Ready to begin", "hourglass-split", "wait"),
    "active": ("Active", "check-lg", "ok"),
    "suspended": ("Suspended", "pause", "no"),
    "offboarding": ("Leaving", "box-arrow-right", "wait"),
    "refused": ("Refused", "x-lg", "no"),
    "closed": ("Closed", "archive", ""),
}
WAITING = ("verified", "tested")
"""Where the next step is the operator's."""
FILTERS = (
    ("waiting", "Waiting for you"),
    ("joining", "On their way in"),
    ("active", "Active"),
    ("suspended", "Suspended"),
    ("offboarding", "Leaving"),
    ("all", "All"),
)
_NARROWED = {"waiting": WAITING, "joining": ("applied", "asked", "checked", "signed")}
WAY = (  # the way in: states that are behind a step, and its word
    ("applied", "Applied"),
    ("verified", "Address confirmed"),
    ("checked", "Documents checked"),
    ("signed", "Terms signed"),
    ("tested", "Connection tested"),
    ("active", "Active"),
)


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """All applications, those that wait first to see."""
    actor = actor_of(request)
    found = services.applications(actor)
    waiting = found.filter(state__in=WAITING).count()
    state = request.GET.get("state", "waiting" if waiting else "all")
    if state in _NARROWED:
        found = found.filter(state__in=_NARROWED[state])
    elif state in STATES:
        found = found.filter(state=state)
    page = Paginator(found, ROWS).get_page(request.GET.get("page"))
    rows = [(organization, STATES[organization.state]) for organization in page]
    context = {"rows": rows, "page": page, "state": state, "filters": FILTERS, "waiting": waiting}
    return render(request, "web/operator/applications.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, code: str) -> HttpResponse:
    """One organization: what it says, how it came here, and the steps that are open."""
    actor = actor_of(request)
    organization = _application(actor, code)
    forms = {name: make(prefix=name) for name, make in FORMS.items()}
    if request.method == "POST":
        try:
            said = _do(request, actor, organization, forms, timezone.now())
        except (ExportMissing, SamePerson) as error:
            messages.error(request, str(error))
            return redirect("web:application", code=code)
        except NotNow:
            messages.error(request, "The organization has moved on. Nothing was changed now.")
            return redirect("web:application", code=code)
        if said:
            messages.success(request, said)
            return redirect("web:application", code=code)
    context = {
        "organization": organization,
        "chip": STATES[organization.state],
        "way": way_of(organization.state),
        "steps": steps_of(organization.state),
        "forms": forms,
        "leaving": office.leaving_of(organization.pk),
        "me": actor.id,
        "moves": list(reversed(services.history(organization.pk))),
        "wrong": next((name for name, form in forms.items() if form.errors), ""),
    }
    status = 422 if context["wrong"] else 200
    return render(request, "web/operator/application.html", context, status=status)


def steps_of(state: str) -> dict[str, bool]:
    """Which decisions are open in that state: the page offers no other."""
    return {name: (OrganizationState(state), event) in NEXT for name, event in EVENTS.items()}


def way_of(state: str) -> list[tuple[str, str]]:
    """(word, done, now or nothing) of each step of the way in; none for who has left it."""
    known = [name for name, _ in WAY]
    here = "verified" if state == "asked" else state
    if here not in known:
        return []
    place = known.index(here)
    return [
        (word, "done" if number <= place else "now" if number == place + 1 else "")
        for number, (_, word) in enumerate(WAY)
    ]


def _application(actor: Actor, code: str) -> Any:
    organization = services.applications(actor).filter(code=code).first()
    if organization is None:
        raise Absent()
    return organization


def _do(
    request: HttpRequest, actor: Actor, organization: Any, forms: dict[str, Any], at: datetime
) -> str:
    """Carry one decision out and say so; "" when its form is wrong. Raises NotNow, BadValue."""
    decision = request.POST.get("decision", "")
    if decision not in DECISIONS:
        raise BadValue("Choose what to decide.")
    if decision not in forms:
        return DECISIONS[decision](actor, organization, {}, at)
    form = forms[decision] = type(forms[decision])(request.POST, prefix=decision)
    return (
        DECISIONS[decision](actor, organization, form.cleaned_data, at) if form.is_valid() else ""
    )


def _ask(actor: Actor, organization: Any, said: dict[str, str], at: datetime) -> str:
    services.ask(organization=organization, question=said["question"], by=actor, at=at)
    return f"The question is on its way to {organization.contact_name}."


def _accept(actor: Actor, organization: Any, said: dict[str, str], at: datetime) -> str:
    services.accept_documents(organization=organization, by=actor, at=at)
    return f"Accepted. {organization.contact_name} gets an e-mail to sign in and sign the terms."


def _refuse(actor: Actor, organization: Any, said: dict[str, str], at: datetime) -> str:
    services.refuse(organization=organization, reason=said["reason"], by=actor, at=at)
    return f"{organization.name} was refused. {organization.contact_name} gets the reason."


def _quota(actor: Actor, organization: Any, said: dict[str, Any], at: datetime) -> str:
    gigabytes = said["gigabytes"]
    quota = None if gigabytes is None else gigabytes * 10**9
    services.set_quota(organization=organization, quota=quota, by=actor, at=at)
    return "The quota is saved. It holds with the next delivery."


def _stay(actor: Actor, organization: Any, said: dict[str, str], at: datetime) -> str:
    office.stay(organization=organization, why=said["why"], by=actor, at=at)
    return f"{organization.name} stays. It is suspended until you let it resume."


def _close(actor: Actor, organization: Any, said: dict[str, str], at: datetime) -> str:
    return closing(organization, actor, at)


def _moved(verb: str, sentence: str) -> Decision:
    def decide(actor: Actor, organization: Any, said: dict[str, str], at: datetime) -> str:
        why = said.get("why") or "Everything is in order."
        getattr(services, verb)(organization=organization, why=why, by=actor, at=at)
        return sentence.format(name=organization.name)

    return decide


EVENTS = {
    "ask": OrganizationEvent.ASK,
    "accept": OrganizationEvent.CHECK,
    "refuse": OrganizationEvent.REFUSE,
    "untested": OrganizationEvent.TEST,
    "activate": OrganizationEvent.ACTIVATE,
    "suspend": OrganizationEvent.SUSPEND,
    "resume": OrganizationEvent.RESUME,
    "offboard": OrganizationEvent.LEAVE,
    "stay": OrganizationEvent.STAY,
}
"""What the page may decide, by the name of its button."""
FORMS: dict[str, Any] = {
    "ask": AskForm,
    "refuse": RefuseForm,
    "quota": QuotaForm,
    **dict.fromkeys(("untested", "suspend", "resume", "offboard", "stay"), WhyForm),
}
DECISIONS: dict[str, Decision] = {
    "ask": _ask,
    "quota": _quota,
    "accept": _accept,
    "refuse": _refuse,
    "untested": _moved("go_untested", "{name} goes without a connection. It can begin."),
    "activate": _moved("activate", "{name} is active. Its people are told."),
    "suspend": _moved("suspend", "{name} is suspended. Its people are told why."),
    "resume": _moved("resume", "{name} is active again. Its people are told."),
    "offboard": _moved("offboard", "{name} is leaving. The export of what it brought begins."),
    "stay": _stay,
    "close": _close,
}
