"""For whom, and for what, a signed-in person acts."""

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from sharing.kernel.errors import Absent
from sharing.tenants import services

from .doors import actor_of, realm_of


@require_POST
def act_as(request: HttpRequest) -> HttpResponse:
    """Choose an organization and a purpose from those the person has; says so on Home."""
    actor_of(request)
    wanted = request.POST.get("acting", "")
    choices = (
        services.acting_choices(request.user, only=realm_of(request))
        if request.user.is_authenticated
        else []
    )
    choice = next((c for c in choices if c.key == wanted), None)
    if choice is None:
        raise Absent()
    request.session["acting"] = choice.key
    request.session.cycle_key()  # a page that was open for the other purpose must load again
    said = f"You act for {choice.organization.name} now, for {choice.purpose.words}."
    messages.success(request, said)
    return redirect("web:home")


@login_required
@require_POST
def out_everywhere(request: HttpRequest) -> HttpResponse:
    """End every session of this person, this one too."""
    services.end_sessions(user=request.user, at=timezone.now())  # type: ignore[arg-type]
    logout(request)
    return redirect("account_login")
