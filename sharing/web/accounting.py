"""A patient's accounting of disclosures, and the organization's log to be handed out."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sharing.archive.services.showing import named_in_log
from sharing.audit.services import Entry, accounting_of, bundle_of, log_lines
from sharing.identity.errors import PatientNotFound
from sharing.identity.services import own_patient, own_patients
from sharing.tenants.services import Actor, Duty, require

from . import deeds, present, words
from .deeds import Doing
from .doors import actor_of
from .papers import table_as_pdf
from .tables import as_csv
from .wording import capital, name_of

ROWS = 50
FOUND = 20
PERIODS = (4, 12, 52)  # weeks
HEAD = ("When", "Who", "Where", "What", "Why")
LOG_HEAD = ("When", "Who", "Organization", "Did what", "How often", "Patient", "Study", "Purpose",
            "Permitted", "Ground", "Consent")  # fmt: skip


@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """Own patients by name or identifier, each with a way to their accounting."""
    actor = _officer(request)
    query = request.GET.get("q", "").strip()[:200]
    found = list(own_patients(actor, query=query)[: FOUND + 1]) if query else []
    context = {"query": query, "patients": found[:FOUND], "more": len(found) > FOUND}
    return render(request, "web/log/accounting_find.html", context)


@require_safe
def show(request: HttpRequest, public_id: str) -> HttpResponse:
    """Who saw or did what with one patient's studies, in plain words. Raises PatientNotFound."""
    actor, at = _officer(request), timezone.now()
    patient = own_patient(actor, public_id=public_id)
    outside = request.GET.get("who") != "all"
    lines = _lines(actor, public_id, at, outside=outside)
    context = {
        "patient": patient,
        "outside": outside,
        "page": Paginator(lines, ROWS).get_page(request.GET.get("page")),
        "places": len({line.organization for line in lines if line.organization}),
    }
    return render(request, "web/log/accounting.html", context)


@require_safe
def paper(request: HttpRequest, public_id: str, form: str) -> HttpResponse:
    """The same as `csv` or `pdf`, all lines. Raises PatientNotFound, also for another form."""
    actor, at = _officer(request), timezone.now()
    patient = own_patient(actor, public_id=public_id)
    if form not in {"csv", "pdf"}:
        raise PatientNotFound()
    outside = request.GET.get("who") != "all"
    rows = [_row(line) for line in _lines(actor, public_id, at, outside=outside)]
    if form == "csv":
        return _handed("accounting.csv", "text/csv; charset=utf-8", as_csv(HEAD, rows))
    whom = "Other organizations" if outside else "Everybody"
    data = table_as_pdf(
        title="Who saw your images, and why",
        sentences=(
            f"{name_of(patient)}, {patient.identifier} at {actor.organization_name}.",
            f"{whom}, from the access log, newest first. Prepared on {words.moment(at)} UTC.",
            "Repeated openings within a quarter of an hour are one line.",
            "" if rows else "Nobody yet.",
        ),
        head=HEAD,
        rows=rows,
        widths=(24, 30, 32, 44, 44),
    )
    return _handed("accounting.pdf", "application/pdf", data)


@require_safe
def export(request: HttpRequest, form: str) -> HttpResponse:
    """The organization's log of the last weeks, as `csv` or as a FHIR bundle (`fhir`)."""
    actor, at = _officer(request), timezone.now()
    since = at - timedelta(weeks=weeks_of(request))
    if form not in {"csv", "fhir"}:
        raise PatientNotFound()
    custodian = actor.organization_code
    if form == "fhir":
        made = bundle_of(custodian=custodian, since=since, by=actor.who, at=at)
        return _handed("log.json", "application/fhir+json", json.dumps(made).encode())
    entries = log_lines(custodian=custodian, since=since, by=actor.who, at=at)
    studies = named_in_log(actor, {entry.study for entry in entries}, at=at)
    rows = [_log_row(entry, studies) for entry in entries]
    return _handed("log.csv", "text/csv; charset=utf-8", as_csv(LOG_HEAD, rows))


def _log_row(entry: Entry, studies: Mapping[str, Any]) -> Sequence[object]:
    line = deeds.doing(entry, studies)
    return (
        entry.at.isoformat(timespec="seconds"),
        line.who,
        line.organization,
        line.did,
        line.count,
        entry.patient,
        present.title_of(line.study) if line.study else "",
        line.purpose,
        "no" if line.refused else "yes",
        line.ground,
        line.consent,
    )


def weeks_of(request: HttpRequest) -> int:
    """The period that was chosen; twelve weeks where none was, or none of ours."""
    asked = request.GET.get("weeks", "")
    return int(asked) if asked in {str(weeks) for weeks in PERIODS} else 12


def _officer(request: HttpRequest) -> Actor:
    """The actor, who reads the log. Raises NoActor, NotAllowed."""
    actor = actor_of(request)
    require(actor, Duty.READ_LOG)
    return actor


def _lines(actor: Actor, patient: str, at: datetime, *, outside: bool) -> list[Doing]:
    entries = accounting_of(custodian=actor.organization_code, patient=patient, by=actor.who, at=at)
    if outside:
        here = actor.organization_name
        entries = [one for one in entries if deeds.from_elsewhere(one, here)]
    studies = named_in_log(actor, {one.study for one in entries}, at=at)
    return [deeds.told_to_patient(one, studies) for one in entries]


def _row(line: Doing) -> Sequence[str]:
    what = f"{capital(line.did)}{f' ({line.count} times)' if line.count > 1 else ''}"
    if line.study:
        what = f"{what}: {present.title_of(line.study)}, {words.day(line.study.study_date)}"
    why = ". ".join(filter(None, (f"For {line.purpose}" if line.purpose else "", line.ground)))
    return (words.moment(line.at), line.who, line.organization, what, why)


def _handed(name: str, kind: str, data: bytes) -> HttpResponse:
    headers: dict[str, Any] = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(data, content_type=kind, headers=headers)
