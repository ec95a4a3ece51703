"""IHE Invoke Image Display (RAD-106): another system's link to a patient's or a study's images.

Who isn't signed in signs in first and comes back. One study opens in the viewer, which decides and
logs as ever; several are listed. What is hidden answers as what does not exist.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sharing.archive.errors import NotRenderable, StudyNotFound
from sharing.archive.services.finding import find_studies, open_study_by_uid
from sharing.archive.services.showing import show as shown_to
from sharing.kernel.errors import BadValue
from sharing.kernel.purposes import Action
from sharing.kernel.uids import StudyUID
from sharing.tenants.services import Actor

from . import present
from .doors import actor_of

MOST = 200
_VIEWERS = frozenset({"", "IHE_BIR"})
"""Basic Image Review: the viewer that every Image Display has."""
_MOMENT = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(T?\d\d.*)?")


@dataclass(frozen=True)
class Invoked:
    """What a request asks to see."""

    condition: Q
    uids: tuple[str, ...] = ()
    most: int = MOST


@require_safe
def invoke(request: HttpRequest) -> HttpResponse:
    """To the viewer, or to a choice of studies.

    Raises NoActor, BadValue for what the profile doesn't know, NotRenderable for what this viewer
    can't do, and StudyNotFound.
    """
    actor, at = actor_of(request), timezone.now()
    wanted = read(request.GET, actor)
    found = find_studies(actor, at=at).filter(wanted.condition)[: wanted.most]
    shown = [each for each in shown_to(actor, list(found), at=at) if each.viewable]
    if not shown:
        raise _missed(request, actor, wanted, at)
    if len(shown) == 1:
        return redirect("viewer:study", shown[0].study.public_id)
    rows = present.rows(shown, organization_id=actor.organization_id)
    return render(request, "web/studies/invoked.html", {"studies": rows})


def read(given: QueryDict, actor: Actor) -> Invoked:
    """The parameters of the profile; each at most once. Raises BadValue, NotRenderable."""
    if any(len(values) > 1 for _, values in given.lists()):
        raise BadValue()
    _check_viewer(given)
    kinds = {"STUDY": _of_studies, "PATIENT": _of_patient}
    kind = kinds.get(given.get("requestType", ""))
    if kind is None:
        raise BadValue()
    return kind(given, actor)


def _check_viewer(given: QueryDict) -> None:
    """Nothing here is for diagnosis, and key images are not shown by themselves."""
    flags = [given.get(name, "false") for name in ("diagnosticQuality", "keyImagesOnly")]
    if set(flags) - {"true", "false"}:
        raise BadValue()
    if "true" in flags or given.get("viewerType", "") not in _VIEWERS:
        raise NotRenderable()


def _of_studies(given: QueryDict, actor: Actor) -> Invoked:
    uids, numbers = _list(given, "studyUID"), _list(given, "accessionNumber")
    if bool(uids) == bool(numbers):
        raise BadValue()
    if numbers:
        return Invoked(Q(accession_number__in=numbers))
    proven = tuple(StudyUID.parse(uid) for uid in uids)
    return Invoked(Q(study_uid__in=proven), proven)


def _of_patient(given: QueryDict, actor: Actor) -> Invoked:
    """By `ID^^^authority` (CX): the authority by name or by OID; without one, an own patient."""
    identifier, *rest = given.get("patientID", "").split("^")
    if not identifier or len(rest) > 5:
        raise BadValue()
    found = Q(patient__identifier=identifier, patient__certain=True)
    issuers = [part for part in (rest[2] if len(rest) > 2 else "").split("&")[:2] if part]
    if issuers:
        found &= Q(patient__issuer__in=issuers)
    else:
        found &= Q(organization_id=actor.organization_id)
    found &= _born(given) & _between(given) & _of_kinds(given)
    return Invoked(found, most=_number(given))


def _born(given: QueryDict) -> Q:
    born = _day(given, "patientBirthDate")
    return Q(patient__birth_date=born) if born else Q()


def _between(given: QueryDict) -> Q:
    first, last = _day(given, "lowerDateTime"), _day(given, "upperDateTime")
    after = Q(study_date__gte=first) if first else Q()
    return after & (Q(study_date__lte=last) if last else Q())


def _of_kinds(given: QueryDict) -> Q:
    found = Q()
    for kind in _list(given, "modalitiesInStudy"):
        if not kind.isalnum():
            raise BadValue()
        found |= Q(modalities__contains=f"|{kind}|")
    return found


def _number(given: QueryDict) -> int:
    text = given.get("mostRecentResults", str(MOST))
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 6 and int(text)):
        raise BadValue()
    return min(int(text), MOST)


def _list(given: QueryDict, name: str) -> list[str]:
    return [part.strip() for part in given.get(name, "").split(",") if part.strip()][:MOST]


def _day(given: QueryDict, name: str) -> date | None:
    text = given.get(name, "")
    found = _MOMENT.fullmatch(text)
    if not text:
        return None
    if found is None:
        raise BadValue()
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise BadValue() from None


def _missed(request: Any, actor: Actor, wanted: Invoked, at: datetime) -> Exception:
    """One study that was named and may not be seen: the refusal is in the log, and counted."""
    if len(wanted.uids) == 1:
        try:
            open_study_by_uid(
                actor,
                study_uid=wanted.uids[0],
                at=at,
                action=Action.IMAGES,
                request_id=request.request_id,
            )
        except StudyNotFound as refused:
            return refused
    return StudyNotFound()
