"""Copies that name nobody, for research: what there is, counted, and one file of it."""

from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sharing.archive.errors import TooManyCopies
from sharing.archive.services.showing import named_in_log
from sharing.archive.services.unnamed import Export, export_unnamed, kinds_to_copy
from sharing.audit.services import log_of_copy
from sharing.kernel.zipped import zipped
from sharing.tenants.services import Duty, require

from . import deeds
from .doors import actor_of
from .forms.copies import CopiesForm


@require_http_methods(["GET", "HEAD", "POST"])
def copies(request: HttpRequest) -> HttpResponseBase:
    """What may be had; POST hands it out, each study in the log before its first byte.

    Raises NotAllowed, StudyNotFound, LogAway.
    """
    actor, at = actor_of(request), timezone.now()
    kinds = kinds_to_copy(actor, at=at)
    form = CopiesForm(kinds, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            modality = form.cleaned_data["modality"]
            return handed_out(_export(request, actor, modality))
        except TooManyCopies as error:
            form.add_error("modality", str(error))
    context = {"form": form, "kinds": kinds, "chosen": form["modality"].value() or ""}
    status = 422 if form.is_bound else 200
    return render(request, "web/copies/show.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """Of which own study a copy is, by its UID: for a finding that the patient should know of.

    Raises NotAllowed.
    """
    actor, at = actor_of(request), timezone.now()
    require(actor, Duty.GUARD)
    uid = request.POST.get("uid", "").strip()[:64]
    entries = (
        log_of_copy(custodian=actor.organization_code, alias=uid, by=actor.who, at=at)
        if uid
        else []
    )
    studies = named_in_log(actor, (entry.study for entry in entries), at=at)
    patients = {study.patient.public_id: study.patient for study in studies.values()}
    lines = [deeds.doing(entry, studies, patients) for entry in entries]
    return render(request, "web/copies/find.html", {"lines": lines, "uid": uid})


def _export(request: HttpRequest, actor: Any, modality: str) -> Export:
    request_id = str(getattr(request, "request_id", ""))
    return export_unnamed(actor, modality=modality, clock=timezone.now, request_id=request_id)


def handed_out(export: Export) -> StreamingHttpResponse:
    """One file, made while it is sent, and kept by no browser."""
    response = StreamingHttpResponse(zipped(export.files()), content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="copies-without-names.zip"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response
