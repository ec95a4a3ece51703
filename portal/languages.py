"""The reader's language: chosen at the foot of a page, kept in a cookie and for the person."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language

from sharing.tenants.services import choose_language, note_language


@csrf_exempt  # it says who reads, no more; and another site's form comes without the session
def choose(request: HttpRequest) -> HttpResponseBase:
    """Django's own answer; whoever is signed in is written to in it, too."""
    response = set_language(request)
    if request.method == "POST" and request.user.is_authenticated:
        choose_language(user=request.user, language=request.POST.get("language", ""))
    return response


def remember(request: HttpRequest, response: HttpResponse, user: Any) -> None:
    """Somebody signed in: they go on in their language, whatever this browser asks for."""
    language = note_language(user=user, language=get_language() or settings.LANGUAGE_CODE)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=request.is_secure(),
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
