"""Two questions a machine may ask: is the process alive, and can it serve? Neither tells more."""

import logging

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from sharing.blobs import is_sound
from sharing.kernel import clock

log = logging.getLogger(__name__)


@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """200 while the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """200 when the database answers and knows our time, and bytes are accepted, else 503.

    Consents end by the clock: a machine whose own is wrong would show what others hide.

    The broker and a store elsewhere are not asked: without the one reading goes on, and without
    the other all that needs no image.
    """
    try:
        apart = clock.is_apart()
    except (DatabaseError, InterfaceError):
        return _not_ready("database")
    if apart:
        log.error("our clock and the database's are more than %s apart", clock.MOST_APART)
        return _not_ready("clock")
    if not is_sound():
        return _not_ready("store")
    return HttpResponse("ok\n", content_type="text/plain")


def _not_ready(what: str) -> HttpResponse:
    headers = {"Retry-After": "5"}
    return HttpResponse(f"{what}\n", status=503, content_type="text/plain", headers=headers)
