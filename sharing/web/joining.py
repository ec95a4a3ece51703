"""An organization registers: the public pages. Nothing here changes by following a link alone."""

from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from sharing.kernel.lifecycle import NotNow
from sharing.tenants import services
from sharing.tenants.errors import LinkInvalid, Taken

from .forms.joining import AnswerForm, ApplicationForm

form_page = require_http_methods(["GET", "HEAD", "POST"])


@form_page
def apply(request: HttpRequest) -> HttpResponse:
    """The registration form; what was typed stays until it is accepted."""
    form = ApplicationForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _allowed(request, form):
        try:
            services.apply(application=form.application(), at=timezone.now())
        except Taken:
            form.add_error(
                "facility_identifier",
                "A facility of this country with this identifier is registered already, or waits.",
            )
        else:
            return redirect("web:applied")
    status = 422 if form.is_bound else 200
    context = {"form": form, "parts": form.parts()}
    return render(request, "web/joining/apply.html", context, status=status)


def _allowed(request: HttpRequest, form: ApplicationForm) -> bool:
    """Whether this network may register now: each registration sends mail to a given address."""
    if ratelimit.consume(request, action="join"):
        return True
    form.add_error(None, "Too many registrations came from your network. Try again in an hour.")
    return False


@require_GET
def applied(request: HttpRequest) -> HttpResponse:
    """What happens next."""
    return render(request, "web/joining/sent.html")


@never_cache
@form_page
def verify(request: HttpRequest, secret: str) -> HttpResponse:
    """Confirm the contact's address: a button, because mail scanners follow links."""
    try:
        if request.method == "POST":
            organization = services.verify_application(secret=secret, at=timezone.now())
            return render(request, "web/joining/verified.html", {"organization": organization})
        organization = services.to_verify(secret=secret, at=timezone.now())
    except (LinkInvalid, NotNow):
        return link_over(request)
    return render(request, "web/joining/verify.html", {"organization": organization})


@never_cache
@form_page
def answer(request: HttpRequest, secret: str) -> HttpResponse:
    """The applicant answers the operator's question."""
    form = AnswerForm(request.POST or None)
    try:
        organization = services.to_answer(secret=secret, at=timezone.now())
        if request.method == "POST" and form.is_valid():
            text = form.cleaned_data["answer"]
            services.answer_question(secret=secret, answer=text, at=timezone.now())
            return render(request, "web/joining/answered.html", {"organization": organization})
    except (LinkInvalid, NotNow):
        return link_over(request)
    context = {"organization": organization, "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "web/joining/answer.html", context, status=status)


def link_over(request: HttpRequest) -> HttpResponse:
    """One page for a link that is unknown, used, too old, or overtaken: 404 for all."""
    return render(request, "web/joining/link_over.html", status=404)
