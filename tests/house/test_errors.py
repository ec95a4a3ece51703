"""Every refusal has a status, and what may not be seen looks like what is not there."""

import errno
import importlib
import pkgutil
import re
import sqlite3
from collections.abc import Iterator

import psycopg
import pytest
import redis
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.http import Http404, HttpResponse
from django.test import RequestFactory

import sharing
from portal import errors
from sharing.kernel.errors import Absent, DomainError


def refusals(kind: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    """DomainError and all its subclasses, wherever in sharing/ they are."""
    yield kind
    for below in kind.__subclasses__():
        yield from refusals(below)


def all_refusals() -> set[type[DomainError]]:
    """The same, after every errors module was loaded."""
    for module in pkgutil.walk_packages(sharing.__path__, "sharing."):
        if module.name.rsplit(".", 1)[-1] in {"errors", "lifecycle"}:
            importlib.import_module(module.name)
    return {kind for kind in refusals() if kind.__module__.startswith("sharing.")}


def test_every_domain_error_has_a_status() -> None:
    """A code without a row would be answered 500."""
    assert {kind.code for kind in all_refusals()} - set(errors.STATUS) == set()


def test_every_status_has_a_code_and_a_title() -> None:
    """No row outlives its error."""
    assert set(errors.STATUS) - {kind.code for kind in all_refusals()} == set()
    assert set(errors.STATUS.values()) <= set(errors.TITLES)


def _without_token(answer: HttpResponse) -> bytes:
    """The body; the CSRF token in the page's head is masked anew for every page."""
    return re.sub(rb'(name="csrf-token" content=")[^"]*', rb"\1", answer.content)


@pytest.mark.parametrize("path", ["/studies/x", "/api/v1/studies/x", "/dicomweb/studies/1.2"])
def test_unseen_and_absent_are_one_answer(path: str) -> None:
    """Same status, body and headers for an unknown route, an unknown thing and a hidden one."""
    request = RequestFactory().get(path)
    kinds = [kind for kind in all_refusals() if issubclass(kind, Absent)]
    assert len(kinds) > 2
    answers = [errors.response_for(request, kind()) for kind in kinds]
    answers += [errors.absent(request), errors.not_found(request, Http404("some reason"))]
    seen = {(a.status_code, _without_token(a), tuple(sorted(a.headers.items()))) for a in answers}
    assert len(seen) == 1
    assert answers[0].status_code == 404


def _sqlite(name: str) -> Exception:
    cause = sqlite3.OperationalError()
    cause.sqlite_errorname = name
    return cause


@pytest.mark.parametrize(
    ("error", "cause", "status"),
    [
        (OperationalError(), psycopg.errors.AdminShutdown(), 503),
        (OperationalError(), psycopg.errors.DiskFull(), 507),
        (OperationalError(), _sqlite("SQLITE_BUSY"), 503),
        (OperationalError(), _sqlite("SQLITE_FULL"), 507),
        (OperationalError(), _sqlite("SQLITE_ERROR"), 500),
        (InterfaceError(), None, 503),
        (redis.ConnectionError(), None, 503),
        (OSError(errno.ENOSPC, "full"), None, 507),
        (OSError(errno.EIO, "failing"), None, 503),
        (FileNotFoundError(errno.ENOENT, "a mistake of ours"), None, 500),
        (ProgrammingError(), None, 500),
        (ValueError(), None, 500),
    ],
)
@pytest.mark.parametrize("path", ["/studies/x", "/dicomweb/studies/1.2"])
def test_what_is_away_may_come_again(
    path: str, error: Exception, cause: Exception | None, status: int
) -> None:
    """A database or a broker that is away is 503; a mistake of ours stays 500."""
    try:
        raise error from cause
    except type(error):
        answer = errors.server_error(RequestFactory().get(path))
    assert answer.status_code == status
    assert ("Retry-After" in answer) == (status == 503)
