"""Every refusal has a status, and what may not be seen looks like what is not there."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest
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
