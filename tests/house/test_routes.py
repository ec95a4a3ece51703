"""Every URL meets a stranger: all routes of the resolver, those of included apps too."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.house.access_matrix import CLOSED, MATRIX, PUBLIC, SELF

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
REFUSED = {302, 400, 401, 403, 404, 405, 406, 415}
SAMPLES: dict[str, Any] = {  # by the converter's class; a new one must be added here
    "StringConverter": "x1",
    "SlugConverter": "x1",
    "IntConverter": 1,
    "UUIDConverter": "00000000-0000-4000-8000-000000000000",
    "PathConverter": "x1",
}
UID = "1.2.826.0.1.3680043.8.498.1"
UIDS = {"study", "series", "instance"}


def routes() -> list[tuple[str, dict[str, Any]]]:
    """(name, sample arguments) of every route."""
    return list(_walk(get_resolver(), (), {}))


def _walk(
    resolver: URLResolver, spaces: tuple[str, ...], outer: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for pattern in resolver.url_patterns:
        arguments = {**outer, **_samples(pattern)}
        if isinstance(pattern, URLResolver):
            inner = (*spaces, pattern.namespace) if pattern.namespace else spaces
            yield from _walk(pattern, inner, arguments)
        else:
            yield ":".join((*spaces, pattern.name or f"unnamed {pattern.pattern}")), arguments


def _samples(pattern: URLPattern | URLResolver) -> dict[str, Any]:
    converters = pattern.pattern.converters
    named = getattr(pattern.pattern, "regex", None)
    regexes = dict.fromkeys(named.groupindex, "x1") if named else {}
    return regexes | {
        name: _sample(name, type(converter).__name__) for name, converter in converters.items()
    }


def _sample(name: str, converter: str) -> Any:
    return UID if name in UIDS and converter == "StringConverter" else SAMPLES[converter]


def test_every_route_is_in_the_access_matrix() -> None:
    """Who may knock is decided when the route is written, not when it is found open."""
    assert {name for name, _ in routes()} - set(MATRIX) == set()


def test_the_access_matrix_has_no_row_of_a_route_that_is_gone() -> None:
    """The table says what is."""
    assert set(MATRIX) - {name for name, _ in routes()} == set()


def closed_doors() -> list[tuple[str, dict[str, Any]]]:
    """All but the public routes."""
    return [(name, given) for name, given in routes() if MATRIX.get(name) != PUBLIC]


@pytest.mark.django_db
@pytest.mark.parametrize("method", METHODS)
def test_a_stranger_gets_in_nowhere_but_at_the_public_routes(method: str) -> None:
    """No route but the public ones does anything for somebody who didn't sign in."""
    client = Client(enforce_csrf_checks=False)
    found = {}
    for name, given in closed_doors():
        response = getattr(client, method)(reverse(name, kwargs=given))
        if response.status_code not in REFUSED and not _says_nothing(method, response):
            found[name] = response.status_code
        if response.status_code == 302:
            assert response["Location"].startswith(("/accounts/login/", reverse("account_login")))
    assert found == {}


def _says_nothing(method: str, response: Any) -> bool:
    """OPTIONS may be answered with the methods of the route: they are in our documentation."""
    return method == "options" and response.status_code in {200, 204} and not response.content


@pytest.mark.django_db
def test_nobody_gets_in_at_the_closed_routes() -> None:
    """What the portal doesn't have answers as a route that never was."""
    client = Client()
    closed = [(name, given) for name, given in routes() if MATRIX.get(name) == CLOSED]
    assert closed
    for name, given in closed:
        assert client.get(reverse(name, kwargs=given)).status_code == 404, name


@pytest.mark.django_db
def test_a_person_without_an_organization_reaches_only_their_own_pages(region: Any) -> None:
    """An account alone opens nothing."""
    from sharing.tenants.models import User
    from tests.sessions import sign_in

    client = Client()
    sign_in(client, User.objects.create_user("nobody@example.org", "No Body", "correct-horse-1"))
    found = {}
    for name, given in closed_doors():
        if MATRIX.get(name) == SELF:
            continue
        status = client.get(reverse(name, kwargs=given)).status_code
        if status not in REFUSED:
            found[name] = status
    assert found == {}


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["account_login", "alive", "account_signup"])
def test_every_answer_carries_the_security_headers(name: str) -> None:
    """A page, a machine's answer and a refusal alike."""
    response = Client().get(reverse(name))
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert response["X-Request-ID"]
