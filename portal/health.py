"""Two questions a machine may ask: is the process alive, and can it serve? Neither tells more."""

from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """200 while the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """200 when the database answers, else 503. The broker is not asked: reading goes on without."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return _not_ready("database")
    return HttpResponse("ok\n", content_type="text/plain")


def _not_ready(what: str) -> HttpResponse:
    headers = {"Retry-After": "5"}
    return HttpResponse(f"{what}\n", status=503, content_type="text/plain", headers=headers)
