"""Whose is it? Uploaded studies that wait for a patient, both sides beside each other."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from sharing.archive.errors import BlobUnavailable, HeldUndecided
from sharing.archive.rules import Doubt
from sharing.archive.services.whose import (
    Sides,
    give_to,
    refuse_held,
    sides_of,
    trust_files,
    waiting_for_patient,
)
from sharing.dicom.names import display_name
from sharing.identity.errors import PatientNotFound
from sharing.tenants.services import Actor

from .doors import actor_of

ROWS = 25
CHOOSE = ("Choose one of the patients.",)


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """What waits for a patient, oldest first. Raises NotAllowed."""
    page = Paginator(waiting_for_patient(actor_of(request)), ROWS).get_page(request.GET.get("page"))
    rows = [(held, _name_of(held), Doubt(held.doubt).words) for held in page]
    return render(request, "web/uploads/held.html", {"rows": rows, "page": page})


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, public_id: str) -> HttpResponse:
    """As the files say, and whose it may be. Raises NotAllowed, HeldNotFound."""
    actor, at, error = actor_of(request), timezone.now(), ""
    if request.method == "POST":
        try:
            return _decide(request, actor, public_id)
        except PatientNotFound:
            error = CHOOSE[0]
        except (HeldUndecided, BlobUnavailable) as refusal:
            error = str(refusal)
    query = request.GET.get("q", "")[:200]
    request_id = getattr(request, "request_id", "")
    sides = sides_of(actor, public_id=public_id, query=query, at=at, request_id=request_id)
    context = {"error": error, "query": query, **_context(sides)}
    return render(request, "web/uploads/whose.html", context, status=422 if error else 200)


def _decide(request: HttpRequest, actor: Actor, public_id: str) -> HttpResponse:
    at, decision = timezone.now(), request.POST.get("decision", "")
    if decision == "refuse":
        refuse_held(actor, public_id=public_id, at=at)
        messages.success(request, "Refused. Nothing of it is kept.")
        return redirect("web:held")
    if decision == "trust":
        study = trust_files(actor, public_id=public_id, at=at)
    else:
        study = give_to(
            actor,
            public_id=public_id,
            patient=request.POST.get("patient", ""),
            accession_number=request.POST.get("accession", "").strip()[:16],
            at=at,
        )
    messages.success(request, "The study is stored.")
    return redirect("web:study", study.public_id)


class _Named:
    """A patient as files name them, for the filter that writes names."""

    def __init__(self, name: str) -> None:
        self.latin, self.native = display_name(name)


def _name_of(held: Any) -> _Named:
    return _Named(held.name)


def _context(sides: Sides) -> dict[str, Any]:
    held = sides.held
    rows = [(patient, _same(held, patient)) for patient in sides.candidates]
    return {
        "held": held,
        "named": _name_of(held),
        "why": Doubt(held.doubt).words,
        "count": sides.count,
        "rows": rows,
    }


def _same(held: Any, patient: Any) -> dict[str, bool]:
    """What of a patient is as the files say."""
    return {
        "name": _Named(held.name).latin == patient.latin,
        "birth_date": held.birth_date == patient.birth_date,
        "sex": held.sex == patient.sex,
        "identifier": held.identifier == patient.identifier,
    }
