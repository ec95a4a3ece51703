"""The access log of the whole organization, for its privacy officer."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sharing.archive.services.showing import named_in_log
from sharing.audit.services import Entry, log_of_organization
from sharing.identity.services import own_patients
from sharing.tenants.services import Actor, Duty, require

from . import deeds
from .doors import actor_of

ROWS = 25
NEWEST = 2000
FILTERS = (  # key, word
    ("", "Everything"),
    ("others", "Other organizations"),
    ("refused", "Refused"),
)


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Who did what with the organization's studies and consents. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    require(actor, Duty.READ_LOG)
    entries = log_of_organization(custodian=actor.organization_code, most=NEWEST)
    only = request.GET.get("only", "")
    kept = {key: [e for e in entries if _fits(e, key, actor)] for key, _ in FILTERS}
    chosen = only if only in kept else ""
    page = Paginator(kept[chosen], ROWS).get_page(request.GET.get("page"))
    studies = named_in_log(actor, (entry.study for entry in page), at=at)
    named = own_patients(actor).filter(public_id__in={entry.patient for entry in page})
    patients = {patient.public_id: patient for patient in named}
    context = {
        "lines": [deeds.doing(entry, studies, patients) for entry in page],
        "page": page,
        "filters": [(key, word, len(kept[key])) for key, word in FILTERS],
        "only": chosen,
        "guards": actor.may(Duty.GUARD),
        "full": len(entries) == NEWEST,
        "newest": NEWEST,
    }
    return render(request, "web/log/list.html", context)


def _fits(entry: Entry, key: str, actor: Actor) -> bool:
    if key == "refused":
        return not entry.permitted
    return key != "others" or deeds.from_elsewhere(entry, actor.organization_name)
