"""Support sessions: the operator asks, the hospital lets in or not, both may end it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sharing.kernel.errors import Absent, BadValue
from sharing.tenants import services
from sharing.tenants.services import Duty, SupportEvent

from .doors import actor_of
from .forms.support import SupportForm

MOST = 100
CHIPS = {  # state -> word, icon, kind
    "asked": ("Waits for an answer", "hourglass-split", "wait"),
    "open": ("Open", "eye", "info"),
    "over": ("Over", "check-lg", ""),
    "refused": ("Refused", "x-lg", "no"),
    "withdrawn": ("Withdrawn", "x-lg", ""),
    "ended": ("Ended", "check-lg", ""),
}
SAID = {
    SupportEvent.APPROVE: "They may look now. You can end it at any time.",
    SupportEvent.REFUSE: "Refused. Nobody gained access.",
    SupportEvent.WITHDRAW: "Withdrawn.",
    SupportEvent.END: "The support session is over.",
}


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """What was asked here, or what the operator asked for. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    rows = []
    for session in services.support_sessions(actor)[:MOST]:
        over = session.state == "open" and session.ends_at is not None and session.ends_at <= at
        rows.append((session, CHIPS["over" if over else session.state], over))
    operates = actor.may(Duty.APPROVE_ORGANIZATIONS)
    context = {"rows": rows, "operates": operates}
    return render(request, "web/operator/support.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """The operator asks. Raises NotAllowed, Absent."""
    actor = actor_of(request)
    services.require(actor, Duty.APPROVE_ORGANIZATIONS)
    options = services.organization_options(without=actor.organization_id)
    form = SupportForm(request.POST or None, where=options)
    if request.method == "POST" and form.is_valid():
        try:
            services.ask_support(**form.cleaned_data, by=actor, at=timezone.now())
        except BadValue as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Asked. Nothing opens before somebody there lets you in.")
            return redirect("web:support")
    status = 422 if form.is_bound else 200
    return render(request, "web/operator/ask_support.html", {"form": form}, status=status)


@require_POST
def answer(request: HttpRequest, public_id: str, event: str) -> HttpResponse:
    """One move of a session. Raises NotAllowed, Absent, NotNow."""
    actor = actor_of(request)
    if event not in set(SupportEvent):
        raise Absent()
    said = SupportEvent(event)
    services.answer_support(public_id=public_id, event=said, by=actor, at=timezone.now())
    messages.success(request, SAID[said])
    return redirect("web:home" if actor.support is not None else "web:support")
