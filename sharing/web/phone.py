"""The patient's own phone, without an account: prove who reads, read, decide.

A link alone opens nothing and changes nothing; its code stands behind the #, which no server sees.
Every page is in the patient's language, and no wrong try tells what was wrong.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.core import ratelimit
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sharing.consent.errors import PhoneNotNow, PhoneOver, PhoneWrong, SignatureInvalid
from sharing.consent.services import (
    open_phone,
    phone_of,
    reading_on,
    refuse_on_phone,
    sign_on_phone,
    statement_on,
    withdraw_on_phone,
)
from sharing.consent.texts import LANGUAGES, newest
from sharing.kernel import scope
from sharing.kernel.lifecycle import NotNow
from sharing.kernel.saying import in_chinese

from .forms.phone import ProofForm
from .statements import as_answer

COOKIE = "phone"
form_page = require_http_methods(["GET", "HEAD", "POST"])
View = Callable[..., HttpResponse]


def patient_page(view: View) -> View:
    """Nothing of it stays in the phone; what is over says so, whatever it was.

    A patient is of no organization: the code says whose page it is, so the house asks for it.
    """

    @wraps(view)
    def shown(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            with scope.as_house():
                response = view(request, **kwargs)
        except (PhoneOver, NotNow):
            response = _page(request, "over", status=404)
        except PhoneNotNow:
            response = _page(request, "not_now", status=409)
        response["Cache-Control"] = "private, no-store"
        return response

    return shown


@form_page
@patient_page
def begin(request: HttpRequest) -> HttpResponse:
    """The three proofs. No patient stands on this page, and opening it changes nothing."""
    language, wrong = _language(request), request.method == "POST"
    other = _for_other(request)
    form = ProofForm(request.POST if wrong else None, language=language, other=other)
    if wrong and ratelimit.consume(request, action="phone") and form.is_valid():
        try:
            secret = open_phone(**form.proofs(), at=timezone.now())
        except PhoneWrong:
            form.add_error(None, PhoneWrong.message)
        else:
            return _known(_to(request, "phone-read"), secret)
    # What was typed stays, and no field is marked: a page tells nothing of which was wrong.
    shown = ProofForm(initial=request.POST.dict(), language=language, other=other)
    return _page(request, "begin", form=shown, wrong=wrong, status=422 if wrong else 200)


@require_safe
@patient_page
def read(request: HttpRequest) -> HttpResponse:
    """The question, the facts, the promises, and two buttons of equal width."""
    session, at = phone_of(_secret(request), at=timezone.now()), timezone.now()
    if session.state != "opened":
        return _to(request, "phone-done")
    language = _language(request, session.language)
    reading = reading_on(session, language=language, at=at)
    if session.kind == "withdrawal":
        text = newest("withdraw_for" if session.for_other else "withdraw", language).parts
        return _page(request, "withdraw", session, reading=reading, text=text)
    return _page(request, "read", session, reading=reading)


@form_page
@patient_page
def sign(request: HttpRequest) -> HttpResponse:
    """The drawn signature; with it the consent is in force."""
    session, at = phone_of(_secret(request), at=timezone.now()), timezone.now()
    if session.state != "opened" or session.kind != "consent":
        return _to(request, "phone-done")
    language, missing = _language(request, session.language), False
    if request.method == "POST":
        drawn = request.POST.get("drawn", "")
        try:
            sign_on_phone(secret=_secret(request), drawn=drawn, language=language, at=at)
            return _to(request, "phone-done")
        except SignatureInvalid:
            missing = True
    reading = reading_on(session, language=language, at=at)
    status = 422 if missing else 200
    return _page(request, "sign", session, reading=reading, missing=missing, status=status)


@require_POST
@patient_page
def refuse(request: HttpRequest) -> HttpResponse:
    """No: nothing is permitted, and the desk sees it."""
    refuse_on_phone(secret=_secret(request), at=timezone.now())
    return _to(request, "phone-done")


@require_POST
@patient_page
def withdraw(request: HttpRequest) -> HttpResponse:
    """The consent ends, at once and for good."""
    withdraw_on_phone(secret=_secret(request), at=timezone.now())
    return _to(request, "phone-done")


@require_safe
@patient_page
def done(request: HttpRequest) -> HttpResponse:
    """What came of it, and the copy to keep."""
    session = phone_of(_secret(request), at=timezone.now())
    if session.state == "opened":
        return _to(request, "phone-read")
    return _page(request, "done", session, state=session.state)


@require_safe
@patient_page
def kept(request: HttpRequest) -> HttpResponse:
    """The patient leaves a consent as it is: nothing changes, and this page says so."""
    session = phone_of(_secret(request), at=timezone.now())
    return _page(request, "done", session, state="kept")


@require_safe
@patient_page
def document(request: HttpRequest, form: str) -> HttpResponse:
    """The record of what was shown, or its signature, for the one who signed it."""
    at = timezone.now()
    statement, data = statement_on(phone_of(_secret(request), at=at), at=at)
    return as_answer(statement, data, form)


def _page(
    request: HttpRequest, name: str, session: Any = None, *, status: int = 200, **context: Any
) -> HttpResponse:
    language = _language(request, session.language if session else "")
    other = next(each for each in LANGUAGES if each != language)
    for_other = _for_other(request, session)
    context |= {
        "language": language,
        "other_language": other,
        "for_other": for_other,
        "words": newest("phone_for" if for_other else "phone", language).parts,
        "session": session,
    }
    return render(request, f"web/phone/{name}.html", context, status=status)


def _for_other(request: HttpRequest, session: Any = None) -> bool:
    """Whether who reads speaks for the patient: before the proof the picture says it."""
    if session is not None:
        return bool(session.for_other)
    return request.GET.get("for") == "other"


def _language(request: HttpRequest, usual: str = "") -> str:
    """What was asked for, else what the clerk chose, else what the phone itself speaks."""
    asked = request.GET.get("lang", "")
    own = next(code for code in LANGUAGES if code.startswith("zh") == in_chinese())
    return asked if asked in LANGUAGES else usual or own


def _to(request: HttpRequest, route: str) -> HttpResponse:
    asked = request.GET.get("lang", "")
    query = f"?lang={asked}" if asked in LANGUAGES else ""
    return redirect(f"{reverse(f'web:{route}')}{query}")


def _secret(request: HttpRequest) -> str:
    return request.COOKIES.get(COOKIE, "")


def _known(response: HttpResponse, secret: str) -> HttpResponse:
    """The phone is known by a cookie that only these pages get, and no script reads."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=15 * 60,
        path=reverse("web:phone"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
    return response
