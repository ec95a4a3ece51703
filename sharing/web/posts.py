"""One person's post at the organization: roles, leave, licence, the quarterly word, and its end."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from sharing.kernel.errors import Absent
from sharing.tenants import services
from sharing.tenants.errors import LastAdministrator
from sharing.tenants.services import Actor, Duty, Role

from . import proof
from .doors import actor_of
from .forms.people import LicenceForm

CHIPS = {  # state -> word, icon, kind
    "invited": ("Invited", "envelope", "info"),
    "active": ("Active", "check-lg", "ok"),
    "on_leave": ("On leave", "pause", "wait"),
    "lapsed": ("Not confirmed", "hourglass-split", "wait"),
    "deactivated": ("Deactivated", "x-lg", "no"),
    "withdrawn": ("Withdrawn", "x-lg", ""),
}


@transaction.atomic
def _forget_factor(*, post: Any, by: Actor, at: datetime) -> None:
    proof.forget_factor(services.may_forget_factor(post=post, by=by, at=at))


MOVES: dict[str, tuple[Callable[..., Any], str]] = {  # event -> verb, what is said
    "withdraw": (services.withdraw_invitation, "The invitation is withdrawn."),
    "leave": (services.send_on_leave, "{name} is on leave. Roles rest until the return."),
    "return": (services.bring_back, "{name} is back, with the same roles."),
    "confirm": (services.confirm_post, "You confirmed the roles of {name}."),
    "deactivate": (services.deactivate, "{name} is deactivated and signed out."),
    "forget_factor": (_forget_factor, "{name} sets up a new second factor at the next sign-in."),
    "check_licence": (services.check_licence, "The licence of {name} is checked."),
}


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, public_id: str) -> HttpResponse:
    """One person here; POST records a licence. Raises NotAllowed, Absent."""
    actor, at = actor_of(request), timezone.now()
    post = services.post_of(actor, public_id=public_id)
    form = LicenceForm(request.POST or None, initial=licence_of(post))
    if request.method == "POST" and form.is_valid():
        services.state_licence(post=post, by=actor, at=at, **form.cleaned_data)
        messages.success(request, "The licence is recorded. Somebody else checks it.")
        return redirect("web:person", public_id=public_id)
    held = services.members(actor.organization_id).filter(user=post.user)
    context = {
        "post": post,
        "chip": CHIPS[post.state],
        "roles": [(member.pk, Role(member.role)) for member in held] if post.user_id else [],
        "resting": [Role(role).words for role in post.resting],
        "form": form,
        "myself": post.user_id == actor.user_id,
        "due": services.confirmation_due(post.confirmed_at),
        "is_due": services.confirmation_due(post.confirmed_at) <= at,
    }
    status = 422 if form.is_bound else 200
    return render(request, "web/people/person.html", context, status=status)


@require_POST
def move(request: HttpRequest, public_id: str, event: str) -> HttpResponse:
    """One move of the post. Raises NotAllowed, Absent, NotNow, BadValue."""
    actor, at = actor_of(request), timezone.now()
    if event not in MOVES:
        raise Absent()
    post = services.post_of(actor, public_id=public_id)
    verb, said = MOVES[event]
    try:
        verb(post=post, by=actor, at=at)
    except LastAdministrator as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said.format(name=post.name))
    return redirect("web:person", public_id=public_id)


@require_http_methods(["GET", "HEAD"])
def leaving(request: HttpRequest, public_id: str) -> HttpResponse:
    """What deactivation ends, before it is done. Raises NotAllowed, Absent."""
    actor = actor_of(request)
    services.require(actor, Duty.MANAGE_MEMBERS)
    post = services.post_of(actor, public_id=public_id)
    context = {"post": post, "myself": post.user_id == actor.user_id}
    return render(request, "web/people/deactivate.html", context)


def licence_of(post: Any) -> dict[str, str]:
    """What the form begins with."""
    return {"number": post.licence, "authority": post.licence_authority}
