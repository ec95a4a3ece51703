"""Filing a paper or a photo with an own patient."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sharing.archive.errors import BadPaper
from sharing.archive.services.filing import file_paper, studies_to_file_with
from sharing.archive.services.showing import patient_in_sight
from sharing.identity.errors import PatientNotFound
from sharing.tenants.services import Duty, require

from .doors import actor_of
from .forms.filing import PaperForm


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, public_id: str) -> HttpResponse:
    """The form; then the study that the paper is in. Raises NotAllowed, PatientNotFound."""
    actor, at = actor_of(request), timezone.now()
    require(actor, Duty.UPLOAD)
    patient = patient_in_sight(actor, public_id=public_id, at=at)
    if patient.organization_id != actor.organization_id:
        raise PatientNotFound()
    studies = studies_to_file_with(actor, patient)
    initial = {"day": timezone.localdate(at)}
    form = PaperForm(request.POST or None, request.FILES or None, studies=studies, initial=initial)
    if form.is_valid():
        said = form.cleaned_data
        data = said.pop("file").read()
        try:
            study = file_paper(patient=patient, data=data, **said, by=actor, at=at)
        except BadPaper as bad:
            form.add_error("file", str(bad))
        else:
            messages.success(request, "It is filed with the patient.")
            return redirect("web:study", study.public_id)
    context = {"patient": patient, "form": form}
    return render(request, "web/patients/file.html", context)
