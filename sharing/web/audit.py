"""What was done to run an organization, for its administrator: no line of it names a patient."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sharing.audit.services import Entry, log_of_running
from sharing.tenants import services
from sharing.tenants.services import Role

from . import deeds
from .doors import actor_of
from .organization import frame

ROWS = 25
NEWEST = 2000
GROUPS = (  # key, word, the rooms of an action
    ("", "Everything", ()),
    ("people", "People", ("member", "team", "listing", "sign", "password")),
    ("machines", "Machines", ("client", "token", "webhook")),
    ("house", "Organization", ("organization", "agreement", "label_rule", "support", "region")),
)


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Who changed people, machines and settings. Raises NotAllowed."""
    actor = actor_of(request)
    own = services.organization_to_run(actor)
    found = log_of_running(custodian=own.code, most=NEWEST)
    asked = request.GET.get("only", "")
    rooms = {key: rooms for key, _, rooms in GROUPS}.get(asked, ())
    kept = [entry for entry in found if not rooms or entry.action.partition(".")[0] in rooms]
    page = Paginator(kept, ROWS).get_page(request.GET.get("page"))
    context = frame(own) | {
        "lines": [(deeds.doing(entry), _roles(entry)) for entry in page],
        "page": page,
        "groups": [(key, word) for key, word, _ in GROUPS],
        "only": asked if rooms else "",
        "full": len(found) == NEWEST,
        "newest": NEWEST,
    }
    return render(request, "web/organization/audit.html", context)


def _roles(entry: Entry) -> list[str]:
    """In words, where it is about roles."""
    said = entry.detail.get("roles") or [entry.detail.get("role")]
    return [Role(role).words for role in said if role in set(Role)]
