"""How the people of an organization are told by e-mail, for its administrator."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sharing.notify.wishes import choose_for_house, ways_of_house
from sharing.tenants import services

from .doors import actor_of
from .forms.wishes import WaysForm
from .organization import frame


@require_http_methods(["GET", "HEAD", "POST"])
def rules(request: HttpRequest) -> HttpResponse:
    """A way for each kind, for all who chose nothing themselves. Raises NotAllowed."""
    actor = actor_of(request)
    own = services.organization_to_run(actor)
    form = WaysForm(request.POST or None, ways=ways_of_house(own.pk))
    if form.is_valid():
        choose_for_house(ways=form.ways(), by=actor, at=timezone.now())
        messages.success(request, "Saved. It holds for what comes now.")
        return redirect("web:telling")
    status = 422 if form.is_bound else 200
    context = frame(own) | {"form": form}
    return render(request, "web/organization/telling.html", context, status=status)
