"""That it is still them: the second factor once more, or the password of who has none (allauth)."""

import time
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.core import ratelimit
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from django.http import HttpRequest

LATELY = 300
TOO_OFTEN = "Tried too often. Wait a minute, then try again."
WRONG_CODE = "This code is not right. Codes change every 30 seconds and work once."
WRONG_PASSWORD = "This password is not right."  # noqa: S105 - a sentence


def asks_for_code(request: HttpRequest) -> bool:
    """Whether the person has a second factor; who has none types the password."""
    return Authenticator.objects.filter(user=_user(request)).exists()


def touched_key(request: HttpRequest) -> bool:
    """Whether a passkey was used within five minutes: nothing need be typed then."""
    records = get_authentication_records(request, _user(request))
    keys = (record for record in records if record.get("type") == "webauthn")
    return any(time.time() - record["at"] < LATELY for record in keys)


def has_key(request: HttpRequest) -> bool:
    """Whether the person has a passkey."""
    keys = Authenticator.objects.filter(user=_user(request), type=Authenticator.Type.WEBAUTHN)
    return bool(keys.exists())


def what_is_wrong(request: HttpRequest, typed: str) -> str:
    """Blank when the person proved it now: a code works once, and tries are counted."""
    user = _user(request)
    if touched_key(request):
        return ""
    if not ratelimit.consume(request, action="reauthenticate", user=user):
        return TOO_OFTEN
    if not asks_for_code(request):
        if not get_adapter().reauthenticate(user, typed):
            return WRONG_PASSWORD
        reauthenticate_by_password(request)
        return ""
    form = AuthenticateForm({"code": typed}, user=user)
    if not form.is_valid():
        return WRONG_CODE
    form.save()
    return ""


def _user(request: HttpRequest) -> Any:
    return request.user


def forget_factor(person: Any) -> None:
    """Remove all second factors of somebody; who may was asked before."""
    Authenticator.objects.filter(user=person).delete()
