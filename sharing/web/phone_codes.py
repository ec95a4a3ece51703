"""The clerk's side of a patient's phone: the picture, the digits to tell, and what comes of it."""

from typing import Any
from urllib.parse import urlencode

import segno
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from sharing.consent.services import (
    cancel_phone,
    code_of,
    issue_second,
    issue_withdrawal,
    issued_phone,
    own_consent,
    reading_on,
)
from sharing.tenants.services import Duty, require

from .doors import actor_of

LIVING = ("waiting", "opened")


@require_safe
def show(request: HttpRequest, public_id: str) -> HttpResponse:
    """The picture while it waits, then what the patient does. Raises NotAllowed, PhoneOver."""
    actor, at = actor_of(request), timezone.now()
    session = issued_phone(actor, public_id=public_id)
    state = session.state
    if state in LIVING and session.expires_at <= at:
        state = "over"
    context: dict[str, Any] = {"session": session, "patient": session.patient, "state": state}
    if request.GET.get("part") == "state":
        response = render(request, "web/consents/_phone_state.html", context)
        if state != request.GET.get("was", state):
            response["HX-Refresh"] = "true"
        return response
    context["reading"] = reading_on(session, language=session.language, at=at)
    context["living"] = state in LIVING
    if state == "waiting":
        code = code_of(session)
        context |= {"code": code, "picture": picture(address(session))}
    context["typed"] = f"{settings.PUBLIC_URL}{reverse('web:phone')}"
    return render(request, "web/consents/phone.html", context)


@require_POST
def cancel(request: HttpRequest, public_id: str) -> HttpResponse:
    """End the code; of a new consent, back to the form as it was. Raises NotAllowed, NotNow."""
    actor = actor_of(request)
    session = issued_phone(actor, public_id=public_id)
    cancel_phone(session=session, by=actor, at=timezone.now())
    if session.kind == "withdrawal" and session.consent is not None:
        return redirect("web:consent", public_id=session.consent.public_id)
    form = reverse("web:new-consent", args=[session.patient.public_id])
    return redirect(f"{form}?{urlencode({'from': session.public_id})}")


@require_POST
def second(request: HttpRequest, public_id: str) -> HttpResponse:
    """The code for the second guardian, once the first signed. Raises NotAllowed, NotNow."""
    actor = actor_of(request)
    first = issued_phone(actor, public_id=public_id)
    session = issue_second(first=first, by=actor, at=timezone.now())
    return redirect("web:phone-code", public_id=session.public_id)


@require_POST
def for_consent(request: HttpRequest, public_id: str) -> HttpResponse:
    """A code for the patient to see and withdraw a consent. Raises ConsentNotFound, NotNow."""
    actor = actor_of(request)
    require(actor, Duty.RECORD_CONSENT)
    consent = own_consent(actor, public_id=public_id)
    session = issue_withdrawal(consent=consent, by=actor, at=timezone.now())
    return redirect("web:phone-code", public_id=session.public_id)


def address(session: Any) -> str:
    """What the picture says: the code stands behind the #, so that no server's log has it."""
    whom = "&for=other" if session.for_other else ""
    token = code_of(session).token
    return f"{settings.PUBLIC_URL}{reverse('web:phone')}?lang={session.language}{whom}#{token}"


def picture(text: str) -> SafeString:
    """A QR code as SVG without styles."""
    code = segno.make_qr(text, error="m")
    drawn = code.svg_inline(border=3, omitsize=True, svgclass="qr", lineclass=None)
    return SafeString(drawn)
