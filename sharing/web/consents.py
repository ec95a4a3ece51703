"""The consent desk: recording what a patient said, reading it, ending it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sharing.access.obligations import asked_of_all
from sharing.access.previews import (
    Change,
    foresee_consent,
    foresee_revocation,
    with_consent,
    without_consent,
)
from sharing.access.rules import Subject
from sharing.archive.services.finding import find_studies
from sharing.archive.services.looking import stopped
from sharing.consent.errors import ConsentInvalid, EvidenceInvalid, ProxyInvalid
from sharing.consent.services import (
    Reading,
    Said,
    Seen,
    consents_recorded,
    issue_phone,
    issued_phone,
    open_evidence,
    open_statement,
    own_consent,
    paper_of,
    reading_of,
    record_consent,
    revoke_consent,
)
from sharing.identity.services import own_patient
from sharing.kernel.purposes import Obligation
from sharing.notify.recalls import copies_to_recall, recalls_of_consent
from sharing.tenants.errors import NotAllowed
from sharing.tenants.services import (
    Actor,
    Duty,
    members,
    organization_options,
    require,
    treating_people,
)

from . import present
from .doors import actor_of
from .forms.consent import REACHES, ConsentForm, RevokeForm
from .forms.consent_templates import TEMPLATES, filled
from .statements import as_answer
from .wording import Wording, effect, in_words, name_of, whom, wording_of

ROWS, MOST_STUDIES = 25, 50
READERS = (Duty.RECORD_CONSENT, Duty.SHARE, Duty.READ_LOG)
"""Whose work needs to know what the patients of their own organization said."""

FORESEEN = (
    "organizations", "person", "decision", "modalities", "studies", "reach", "may", "purpose",
    "period", "until", "maximum_uses",
)  # fmt: skip
"""The fields that a consent's effect follows from, in the order in which they are asked for."""

form_page = require_http_methods(["GET", "HEAD", "POST"])
ENDINGS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """All consents that the organization keeps, newest first."""
    actor, at = _with_one_of(request, READERS), timezone.now()
    page = Paginator(consents_recorded(actor), ROWS).get_page(request.GET.get("page"))
    cards = [present.consent_card(consent, at=at) for consent in page]
    may_record = actor.may(Duty.RECORD_CONSENT)
    context = {"page": page, "consents": cards, "may_record": may_record}
    return render(request, "web/consents/list.html", context)


@form_page
def new(request: HttpRequest, public_id: str) -> HttpResponse:
    """Record a consent of one own patient. Raises NotAllowed, PatientNotFound."""
    actor, at = actor_of(request), timezone.now()
    require(actor, Duty.RECORD_CONSENT)
    patient = own_patient(actor, public_id=public_id)
    studies = list(find_studies(actor, at=at, own=True, patient=public_id))
    form = _form(request, actor, studies, at)
    if request.method == "POST" and form.is_valid():
        try:
            return _agreed(request, form, actor, patient, studies, at)
        except EvidenceInvalid as error:
            form.add_error("evidence", str(error))
        except (ConsentInvalid, ProxyInvalid) as error:
            form.add_error("verification" if form.by_phone else None, str(error))
    begun = form if form.is_bound else _form(request, actor, studies, at, draft=True)
    context = {
        "form": form,
        "patient": patient,
        "templates": TEMPLATES,
        "chosen": request.GET.get("template", ""),
        "reaches": REACHES,
        "studies": [(study, present.title_of(study)) for study in studies[:MOST_STUDIES]],
        **_foreseen(begun, actor, patient, studies, at),
    }
    status = 422 if form.is_bound else 200
    return render(request, "web/consents/new.html", context, status=status)


def _agreed(
    request: HttpRequest,
    form: ConsentForm,
    actor: Actor,
    patient: Any,
    studies: Sequence[Any],
    at: datetime,
) -> HttpResponse:
    """In force at once; or, for the patient's phone, the code to scan."""
    said = form.said()
    reading = _reading(said, patient, studies)
    if form.by_phone:
        filled_in = {name: values for name, values in request.POST.lists() if name in form.fields}
        session = issue_phone(
            patient=patient,
            said=said,
            reading=reading,
            studies=_seen(said, studies),
            filled_in=filled_in,
            second=form.cleaned_data["second_name"].strip(),
            by=actor,
            at=at,
        )
        return redirect("web:phone-code", public_id=session.public_id)
    paper = paper_of(reading, told=said, by=actor.name, at=at, reference=patient.identifier)
    said = replace(said, shown=reading.name, statement=paper)
    consent = record_consent(patient=patient, said=said, by=actor, at=at)
    messages.success(request, f"Consent {consent.reference} is in force.")
    return redirect("web:consent", public_id=consent.public_id)


@require_POST
def preview(request: HttpRequest, public_id: str) -> HttpResponse:
    """The consent in words, and what it would change, as far as it is filled in."""
    actor, at = actor_of(request), timezone.now()
    require(actor, Duty.RECORD_CONSENT)
    patient = own_patient(actor, public_id=public_id)
    studies = list(find_studies(actor, at=at, own=True, patient=public_id))
    form = _form(request, actor, studies, at, draft=True)
    context = {"form": form, **_foreseen(form, actor, patient, studies, at)}
    return render(request, "web/consents/_preview.html", context)


@require_safe
def show(request: HttpRequest, public_id: str) -> HttpResponse:
    """One consent. Raises NotAllowed, ConsentNotFound."""
    actor, at = _with_one_of(request, READERS), timezone.now()
    consent = own_consent(actor, public_id=public_id)
    card = present.consent_card(consent, at=at)
    context = {
        "consent": consent,
        "card": card,
        "patient": consent.patient,
        "sentence": in_words(wording_of(consent)),
        "recalls": _recalls(actor, consent),
        "has_evidence": hasattr(consent, "evidence"),
        "statement": getattr(consent, "statement", None),
        "may_read_evidence": actor.may(Duty.RECORD_CONSENT) or actor.may(Duty.READ_LOG),
        "may_revoke": actor.may(Duty.RECORD_CONSENT) and consent.state == "active",
    }
    return render(request, "web/consents/show.html", context)


def _recalls(actor: Actor, consent: Any) -> list[Any]:
    """Who was asked what became of copies, for those who may know."""
    if not (actor.may(Duty.READ_LOG) or actor.may(Duty.RECORD_CONSENT)):
        return []
    return list(recalls_of_consent(actor, consent))


@form_page
def revoke(request: HttpRequest, public_id: str) -> HttpResponse:
    """Name the consequence, then end it for good. Raises NotAllowed, ConsentNotFound, NotNow."""
    actor, at = actor_of(request), timezone.now()
    require(actor, Duty.RECORD_CONSENT)
    consent = own_consent(actor, public_id=public_id)
    form = RevokeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        why = form.cleaned_data["why"]
        ended = revoke_consent(consent=consent, by=actor, why=why, at=at)
        messages.success(request, f"Consent {ended.reference} is revoked.")
        return redirect("web:consent", public_id=ended.public_id)
    subjects = _subjects(find_studies(actor, at=at, own=True, patient=consent.patient.public_id))
    changes = foresee_revocation(
        consent=consent, subjects=subjects, organizations=_others(actor), at=at
    )
    stops = stopped(subjects, *without_consent(consent, subjects), at=at)
    context = {
        "form": form,
        "consent": consent,
        "card": present.consent_card(consent, at=at),
        "patient": consent.patient,
        "changes": changes,
        "final": consent.state == "active",
        "left": copies_to_recall(consent),
        "effect": effect(**_totals(changes), stops=stops),
        "stops": stops,
        **_totals(changes),
    }
    status = 422 if form.is_bound else 200
    return render(request, "web/consents/revoke.html", context, status=status)


@require_safe
def evidence(request: HttpRequest, public_id: str) -> HttpResponse:
    """The signed form, to keep and never to be run by the browser. Raises ConsentNotFound."""
    actor = _with_one_of(request, (Duty.RECORD_CONSENT, Duty.READ_LOG))
    document, data = open_evidence(actor, public_id=public_id, at=timezone.now())
    consent = document.consent
    name = f"{consent.reference}-v{consent.version}.{ENDINGS.get(document.media_type, 'bin')}"
    response = HttpResponse(data, content_type=document.media_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
def statement(request: HttpRequest, public_id: str, form: str) -> HttpResponse:
    """The record of what was shown, or the portal's signature on it. Raises ConsentNotFound."""
    actor = _with_one_of(request, (Duty.RECORD_CONSENT, Duty.READ_LOG))
    kept, data = open_statement(actor, public_id=public_id, at=timezone.now())
    return as_answer(kept, data, form)


def _with_one_of(request: HttpRequest, duties: Sequence[Duty]) -> Actor:
    actor = actor_of(request)
    if not any(actor.may(duty) for duty in duties):
        raise NotAllowed()
    return actor


def _others(actor: Actor) -> Any:
    return organization_options(without=actor.organization_id)


def _form(
    request: HttpRequest, actor: Actor, studies: Sequence[Any], at: datetime, draft: bool = False
) -> ConsentForm:
    """What was sent; else empty, or begun by a template, which a draft takes for sent."""
    begun = _begun(request, actor, studies)
    return ConsentForm(
        request.POST or (begun if draft and begun else None),
        request.FILES or None,
        initial=begun,
        organizations=_others(actor),
        people=_people(actor),
        studies=studies[:MOST_STUDIES],
        at=at,
        draft=draft,
    )


def _people(actor: Actor) -> list[Any]:
    """Whom a consent may name: all of the own house, and those who treat elsewhere."""
    own = members(actor.organization_id).select_related("organization")
    once = {row.user_id: row for row in own}
    return [*once.values(), *treating_people(without=actor.organization_id)]


def _begun(request: HttpRequest, actor: Actor, studies: Sequence[Any]) -> dict[str, Any]:
    """By a template, or as it was before its code for a phone ended."""
    earlier = request.GET.get("from", "")
    if not earlier:
        return filled(request.GET.get("template", ""), studies)
    kept = (issued_phone(actor, public_id=earlier).draft or {}).get("filled_in", {})
    several = {"organizations", "modalities", "studies"}
    return {name: values if name in several else values[0] for name, values in kept.items()}


def _seen(said: Said, studies: Sequence[Any]) -> list[Seen]:
    meant = [study for study in studies if study.study_uid in said.studies]
    return [Seen(tuple(study.modality_list), study.study_date) for study in meant]


def _reading(said: Said, patient: Any, studies: Sequence[Any]) -> Reading:
    return reading_of(
        said,
        patient=patient,
        custodian=patient.organization,
        language=said.language,
        studies=_seen(said, studies),
    )


def _foreseen(
    form: ConsentForm, actor: Actor, patient: Any, studies: Sequence[Any], at: datetime
) -> dict[str, Any]:
    """The sentence and the changes, once it is said to whom, until when and by which decision."""
    if not form.is_bound:
        return {"sentence": "", "changes": []}
    missing = [form.errors[name][0] for name in FORESEEN if name in form.errors]
    if missing:
        return {"sentence": "", "changes": [], "missing": missing[0]}
    said, subjects = form.said(), _subjects(studies)
    changes = foresee_consent(
        said=said,
        custodian_id=actor.organization_id,
        patient_id=patient.pk,
        subjects=subjects,
        organizations=_others(actor),
        at=at,
    )
    facts = with_consent(said, actor.organization_id, patient.pk, subjects)
    return {
        "effect": effect(**_totals(changes), stops=stopped(subjects, *facts, at=at)),
        "sentence": in_words(_wording(said, actor, patient)),
        "reading": _reading(said, patient, studies),
        "changes": changes,
    }


def _wording(said: Said, actor: Actor, patient: Any) -> Wording:
    return Wording(
        decision=said.decision,
        whom=whom(said.named, actor.organization_name),
        actions=frozenset(said.actions),
        purposes=frozenset(said.purposes),
        modalities=sorted(said.modalities),
        starts=said.starts_at,
        ends=said.ends_at,
        custodian=actor.organization_name,
        patient=name_of(patient),
        force=said.force,
        unnamed=Obligation.DEIDENTIFY in said.obligations,
        studies=len(said.studies),
        asks=asked_of_all(said.obligations, said.maximum_uses),
    )


def _subjects(studies: Iterable[Any]) -> list[Subject]:
    return [study.subject for study in studies]


def _totals(changes: Sequence[Change]) -> dict[str, int]:
    """How many people lose or gain how many studies, over all organizations."""
    losing = [change for change in changes if change.lost]
    gaining = [change for change in changes if change.gained]
    return {
        "losing_people": sum(change.people for change in losing),
        "losing_studies": len({subject for change in losing for subject in change.lost}),
        "gaining_people": sum(change.people for change in gaining),
        "gaining_studies": len({subject for change in gaining for subject in change.gained}),
    }
