"""Sending studies in from the browser, and the receipt of what came of it."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from sharing.archive.rules import MAX_ARCHIVE_BYTES, Outcome, StudyState
from sharing.archive.services.uploading import Receipt
from sharing.archive.services.uploading import receipt as receipt_of
from sharing.archive.services.whose import waiting_for_patient
from sharing.identity.services import own_patient
from sharing.tenants.services import Duty, require

from . import present
from .doors import actor_of

ENDPOINT = "/api/v1/uploads/"
BATCH_ENDPOINT = "/api/v1/upload-batches/"
"""Of the api face by their published addresses: faces do not import each other."""
MOST_REASONS = 200
EXPLAINED = (  # what became of a file, and how the receipt heads its list
    (Outcome.REJECTED, "Refused, and why"),
    (Outcome.HELD, "Whose is it? It waits for somebody to say"),
    (Outcome.CONFLICT, "Other content under a known identifier"),
    (Outcome.IGNORED, "Ignored, and why"),
)


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Choose files, a folder or a ZIP, for one patient or for whom the files name.

    Raises NotAllowed, PatientNotFound.
    """
    actor, chosen = actor_of(request), request.GET.get("patient", "")
    require(actor, Duty.UPLOAD)
    patient = own_patient(actor, public_id=chosen) if chosen else None
    context = {
        "endpoint": ENDPOINT,
        "batch_endpoint": BATCH_ENDPOINT + (f"?patient={patient.public_id}" if patient else ""),
        "patient": patient,
        "held_count": waiting_for_patient(actor).count(),
        "max_words": f"Up to {MAX_ARCHIVE_BYTES // 1024**3} GB",
    }
    return render(request, "web/uploads/page.html", context)


@require_safe
def receipt(request: HttpRequest, public_id: str) -> HttpResponse:
    """The receipt of one own batch: a part for the upload page, a page for print.

    Asks for itself each second until all is stored and the studies are complete. Raises
    NotAllowed, UploadNotFound.
    """
    actor = actor_of(request)
    require(actor, Duty.UPLOAD)
    made = receipt_of(actor, batch_id=public_id)
    done = made.state == "done"
    settled = all(study.state == StudyState.COMPLETE for study in made.studies)
    context = {
        "receipt": made,
        "done": done,
        "waiting": not (done and settled),
        "studies": [_study(study) for study in made.studies],
        "explained": _explained(made),
        "url": reverse("web:receipt", args=[public_id]),
        "number": public_id[:8],
    }
    part = bool(request.headers.get("HX-Request"))
    template = "web/uploads/_receipt.html" if part else "web/uploads/receipt.html"
    return render(request, template, context)


def _study(study: Any) -> dict[str, Any]:
    return {
        "url": reverse("web:study", args=[study.public_id]),
        "title": present.title_of(study),
        "modalities": study.modality_list,
        "patient": study.patient,
        "consent_url": reverse("web:new-consent", args=[study.patient.public_id]),
        "state": study.state,
    }


def _explained(made: Receipt) -> list[dict[str, Any]]:
    """The files that were not stored as they came, by what became of them."""
    groups = [(words, [i for i in made.items if i.outcome == kind]) for kind, words in EXPLAINED]
    return [
        {"words": words, "files": _files(items), "more": max(0, len(items) - MOST_REASONS)}
        for words, items in groups
        if items
    ]


def _files(items: Iterable[Any]) -> list[dict[str, str]]:
    return [
        {"name": item.name or "A file without a name", "reason": item.reason}
        for item in list(items)[:MOST_REASONS]
    ]
