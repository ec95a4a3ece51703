"""The patients in sight: the list, and one with their studies and consents."""

from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sharing.access.services import kinds_of, uses_to_tell
from sharing.archive.services.finding import find_studies
from sharing.archive.services.remembering import new_among
from sharing.archive.services.showing import (
    patient_in_sight,
    patient_lines,
    patients_in_sight,
    require_patients,
)
from sharing.archive.services.showing import (
    show as shown_to,
)
from sharing.consent.services import consents_of, refused_on_phone
from sharing.tenants.services import Actor, Duty

from . import present
from .doors import actor_of
from .forms.due import ToldForm
from .lanes import lanes

ROWS = 25
MOST_STUDIES = 200
MOST_TO_TELL = 20


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Own patients, and those of whom a study is in sight."""
    actor, at = _clinical(request), timezone.now()
    query = request.GET.get("q", "").strip()[:200]
    found = patients_in_sight(actor, at=at, query=query)
    page = Paginator(found, ROWS).get_page(request.GET.get("page"))
    context = {
        "query": query,
        "page": page,
        "lines": patient_lines(actor, list(page), at=at),
        "may_record": actor.may(Duty.RECORD_CONSENT),
    }
    return render(request, "web/patients/list.html", context)


@require_safe
def show(request: HttpRequest, public_id: str) -> HttpResponse:
    """One patient: the studies that the actor may see; at the custodian also the consents."""
    actor, at = _clinical(request), timezone.now()
    patient = patient_in_sight(actor, public_id=public_id, at=at)
    studies = find_studies(actor, at=at, patient=public_id)[:MOST_STUDIES]
    own = patient.organization_id == actor.organization_id
    consents = consents_of(patient=patient) if own else []
    may_record = own and actor.may(Duty.RECORD_CONSENT)
    rows = _rows(actor, list(studies), at)
    context = {
        "lanes": lanes(rows, today=timezone.localdate(at)),
        "refused": refused_on_phone(actor, patient=patient)[:5] if may_record else [],
        "patient": patient,
        "own": own,
        "studies": rows,
        "consents": [present.consent_card(consent, at=at) for consent in consents],
        "may_record": may_record,
        "to_tell": _to_tell(actor, patient) if own else [],
        "told_form": ToldForm(),
        "may_file": own and actor.may(Duty.UPLOAD),
        "may_share": own and actor.may(Duty.SHARE),
        "may_tie": own and bool(kinds_of(actor)),
    }
    return render(request, "web/patients/show.html", context)


def _rows(actor: Actor, studies: list[Any], at: datetime) -> list[present.StudyRow]:
    return present.rows(
        shown_to(actor, studies, at=at),
        organization_id=actor.organization_id,
        new=new_among(actor, studies),
    )


def _to_tell(actor: Actor, patient: Any) -> list[Any]:
    """Uses that the desk has to tell this patient of; nothing for others."""
    if not actor.may(Duty.RECORD_CONSENT):
        return []
    return list(uses_to_tell(actor).filter(consent__patient=patient)[:MOST_TO_TELL])


def _clinical(request: HttpRequest) -> Actor:
    """The actor, when patients are part of their work. Raises NoActor, NotAllowed."""
    actor = actor_of(request)
    require_patients(actor)
    return actor
