"""The staff directory of the region, and one's own line in it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from sharing.tenants import services
from sharing.tenants.errors import NotAllowed

from .doors import actor_of
from .forms.teams import ShownForm


@require_safe
def directory(request: HttpRequest) -> HttpResponse:
    """Who agreed to be found, with what they agreed to show. Raises NotAllowed."""
    actor = actor_of(request)
    if actor.apart:
        raise NotAllowed()
    words = request.GET.get("q", "")[:100]
    context = {"entries": services.directory(actor, words=words), "q": words}
    return render(request, "web/staff/directory.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest) -> HttpResponse:
    """What the directory shows of the one who asks."""
    actor = actor_of(request)
    now = services.shown_of(actor)
    form = ShownForm(request.POST or None, initial=vars(now))
    if request.method == "POST" and form.is_valid():
        services.say_shown(shown=form.shown, by=actor, at=timezone.now())
        listed = form.shown.listed
        messages.success(
            request, "Saved. Colleagues find you." if listed else "Saved. You are not listed."
        )
        return redirect("web:my-listing")
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "web/staff/mine.html", {"form": form}, status=status)
