"""How long sessions last, shared workstations, and handing a workstation over."""

from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_http_methods, require_POST

from sharing.kernel.errors import BadValue
from sharing.tenants import services
from sharing.tenants.services import Duty, Limits

from .doors import actor_of
from .forms.sessions import LimitsForm

SHARED_COOKIE = "shared_workstation"
LASTS = 400 * 86400
IDLE = "You were signed out because nothing was done for a while."


@require_http_methods(["GET", "HEAD", "POST"])
def limits(request: HttpRequest) -> HttpResponse:
    """How long sessions last here. Raises NotAllowed."""
    actor = actor_of(request)
    services.require(actor, Duty.MANAGE_MEMBERS)
    form = LimitsForm(request.POST or None, initial=vars(services.sitting_of(actor)))
    if request.method == "POST" and form.is_valid():
        try:
            services.set_sitting(limits=Limits(**form.cleaned_data), by=actor, at=timezone.now())
        except BadValue as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "It holds with everybody’s next request.")
            return redirect("web:sessions")
    status = 422 if form.is_bound else 200
    return render(request, "web/people/sessions.html", {"form": form}, status=status)


@login_required
@require_POST
def shared(request: HttpRequest) -> HttpResponse:
    """Say of this browser that several people use it, or one alone."""
    response = redirect("usersessions_list")
    if request.POST.get("shared") == "yes":
        response.set_cookie(
            SHARED_COOKIE,
            signing.dumps("yes", salt=SHARED_COOKIE),
            max_age=LASTS,
            httponly=True,
            secure=request.is_secure(),
            samesite="Lax",
        )
    else:
        response.delete_cookie(SHARED_COOKIE, samesite="Lax")
    return response


@login_required
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Out, and to the sign-in of the next person, who goes on at the same page if they may."""
    back = _page_of(request)
    idle = request.POST.get("idle") == "1"
    logout(request)
    if idle:
        messages.info(request, IDLE)
    return redirect(f"{reverse('account_login')}?{urlencode({'next': back})}")


def _page_of(request: HttpRequest) -> str:
    """The page that the press came from: no page says its own address, for a hidden one's would
    not be the page of one that never was.
    """
    came = urlsplit(request.META.get("HTTP_REFERER", ""))
    if came.netloc != request.get_host():
        return "/"
    back = came.path + (f"?{came.query}" if came.query else "")
    return back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else "/"


@login_required
@require_POST
def still_here(request: Any) -> HttpResponse:
    """Somebody moves: the session was used now."""
    return HttpResponse(status=204)
