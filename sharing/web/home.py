"""The first page: what waits for this person, by what their roles are for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sharing.access.services import requests_to_answer
from sharing.archive.services.deciding import waiting
from sharing.archive.services.listing import Criteria, browse, ending_soon
from sharing.archive.services.remembering import new_among, opened_lately
from sharing.archive.services.showing import show as shown_to
from sharing.archive.services.sight import in_sight
from sharing.archive.services.whose import waiting_for_patient
from sharing.consent.services import consents_recorded
from sharing.kernel.purposes import Purpose
from sharing.notify.services import notices_for
from sharing.tenants.errors import NotAllowed
from sharing.tenants.services import Actor, Duty

from . import present
from .doors import actor_of
from .due import how_many
from .requests import asked

ROWS = 8
TABS = (  # key, word, what it narrows the list to
    ("", "For me", Criteria()),
    ("unopened", "Unread", Criteria(unopened=True)),
    ("shared", "Shared", Criteria(shared=True)),
    ("own", "Own", Criteria(own=True)),
)
LATELY = "lately"
PLACES = (  # duty, where one whose first duty it is begins
    (Duty.READ_LOG, "web:log"),
    (Duty.RUN_ORGANIZATION, "web:organization"),
    (Duty.SET_REGION, "web:region-console"),
    (Duty.APPROVE_ORGANIZATIONS, "web:applications"),
)


@dataclass(frozen=True)
class Ending:
    """A patient of whom something leaves the lists soon."""

    patient: Any
    count: int
    until: datetime


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """For who treats: studies. For a clerk: uploads and consents. Others begin elsewhere."""
    actor, at = actor_of(request), timezone.now()
    if actor.treating:
        context = _for_treating(actor, request.GET.get("tab", ""), at)
        return render(request, "web/home/treating.html", context)
    if actor.may(Duty.UPLOAD) or actor.may(Duty.RECORD_CONSENT):
        return render(request, "web/home/desk.html", _for_desk(actor, at))
    if actor.support is not None:
        return redirect("web:studies")
    if actor.purpose == Purpose.RESEARCH:
        return redirect("web:copies")
    for duty, place in PLACES:
        if actor.may(duty):
            return redirect(place)
    raise NotAllowed()


def _for_treating(actor: Actor, tab: str, at: datetime) -> dict[str, Any]:
    inside = in_sight(actor, at)
    lists = {key: browse(actor, criteria, at=at, inside=inside) for key, _, criteria in TABS}
    counts = {key: found.count() for key, found in lists.items()}
    chosen = tab if tab in lists or tab == LATELY else ""
    if chosen == LATELY:
        listed = opened_lately(inside.with_owners(), actor)[:ROWS]
    else:
        listed = list(lists[chosen][:ROWS])
    return {
        "tabs": [(key, word, counts[key]) for key, word, _ in TABS],
        "tab": chosen,
        "total": counts.get(chosen, 0),
        "studies": _rows(actor, listed, at),
        "notices": list(notices_for(actor)[:4]),
        "ending": _ending(ending_soon(actor, at=at, inside=inside)),
        "may_ask": actor.may(Duty.SHARE),
        "mine": asked(actor, at, most=3) if actor.may(Duty.SHARE) else [],
        "waiting": list(requests_to_answer(actor, at=at)[:5]),
        "today": at,
    }


def _rows(actor: Actor, studies: list[Any], at: datetime) -> list[present.StudyRow]:
    return present.rows(
        shown_to(actor, studies, at=at),
        organization_id=actor.organization_id,
        new=new_among(actor, studies),
    )


def _for_desk(actor: Actor, at: datetime) -> dict[str, Any]:
    own = browse(actor, Criteria(own=True), at=at).order_by("-received_at", "-pk")
    consents = consents_recorded(actor)[:5] if actor.may(Duty.RECORD_CONSENT) else []
    return {
        "studies": _rows(actor, list(own[:ROWS]), at),
        "consents": [present.consent_card(consent, at=at) for consent in consents],
        "may_upload": actor.may(Duty.UPLOAD),
        "may_record": actor.may(Duty.RECORD_CONSENT),
        "waiting": _waiting(actor, at),
        "today": at,
    }


def _waiting(actor: Actor, at: datetime) -> dict[str, int]:
    """How much there is of what nobody else will do; nothing where there is none."""
    found = {
        "held": waiting_for_patient(actor).count() if actor.may(Duty.UPLOAD) else 0,
        "conflicts": waiting(actor).count() if actor.may(Duty.DECIDE) else 0,
        "due": how_many(actor, at) if actor.may(Duty.RECORD_CONSENT) else 0,
    }
    return {kind: count for kind, count in found.items() if count}


def _ending(studies: Sequence[tuple[Any, datetime]]) -> list[Ending]:
    """Patients whose studies the actor soon sees no more: who, how many, the first end."""
    soon: dict[int, list[tuple[Any, datetime]]] = {}
    for study, until in studies:
        soon.setdefault(study.patient_id, []).append((study, until))
    found = [
        Ending(group[0][0].patient, len(group), min(until for _, until in group))
        for group in soon.values()
    ]
    return sorted(found, key=lambda each: each.until)[:5]
