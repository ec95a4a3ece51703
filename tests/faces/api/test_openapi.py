"""The document of the REST face: reviewed, whole, and true of every operation."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
import schemathesis
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client as Browser
from django.urls import get_resolver
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sharing.partners.rules import SCOPES
from sharing.partners.services import issue_token
from tests.cast import Region

REVIEWED = Path(settings.BASE_DIR) / "docs" / "openapi.json"
APART = {"schema", "docs"} | {
    f"upload{more}" for more in ("s", "", "-batches", "-batch", "-batch-close")
}


def document() -> dict[str, Any]:
    """As it is reviewed."""
    made: dict[str, Any] = json.loads(REVIEWED.read_text(encoding="utf-8"))
    return made


def test_the_document_is_the_one_that_was_reviewed(tmp_path: Path) -> None:
    """`manage.py spectacular --file docs/openapi.json --format openapi-json`, and read the diff."""
    made = tmp_path / "openapi.json"
    call_command(
        "spectacular", file=str(made), format="openapi-json", validate=True, fail_on_warn=True
    )
    assert json.loads(made.read_text(encoding="utf-8")) == document()


def test_every_route_is_in_the_document() -> None:
    """Uploads are tus 1.0, which OpenAPI can't say."""
    face = next(
        each for each in get_resolver().url_patterns if getattr(each, "namespace", "") == "api"
    )
    routes = {
        "/api/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(each.pattern))
        for each in face.url_patterns
        if each.name not in APART
    }
    assert routes == set(document()["paths"])


def test_every_operation_says_what_it_does_and_how_it_refuses() -> None:
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (method, path)
            assert {"401", "403", "404", "429"} <= set(operation["responses"]), (method, path)


def test_the_page_to_try_it_comes_from_our_own_host(client: Browser) -> None:
    """No address of anybody else, no inline script or style."""
    page = client.get("/api/v1/docs/")
    text = page.content.decode()
    assert page.status_code == 200
    assert set(re.findall(r'(?:src|href)="(https?:)?(/[^/"])', text)) <= {("", "/s"), ("", "/a")}
    assert "<style" not in text
    assert not re.search(r"<script>|onload=", text)
    assert client.get("/api/v1/docs/?script=").status_code == 200
    assert client.get("/api/v1/schema/").json()["info"]["title"] == "Imaging sharing portal"


@pytest.mark.django_db
def test_no_operation_breaks_or_says_what_is_not_in_the_document(region: Region) -> None:
    """Schemathesis asks every operation, as a machine that may all, with what fits or not."""
    cache.clear()
    region.study()
    secret = issue_token(
        organization=region.riverside, name="Fuzz", scopes=list(SCOPES), at=timezone.now()
    )
    schema = schemathesis.openapi.from_dict(document())
    browser, asked = Browser(), set()

    def ask(case: Any) -> None:
        asked.add((case.method, case.path))
        answer = _answer(browser, case, secret)
        case.validate_response(
            answer,
            checks=[
                not_a_server_error,
                status_code_conformance,
                content_type_conformance,
                response_schema_conformance,
            ],
        )

    limits = hypothesis_settings(
        max_examples=6, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    found = []
    for each in schema.get_all_operations():
        operation = each.ok()
        try:
            limits(schemathesis_test(operation, ask))()
        except FailureGroup as failures:
            found += [f"{operation.label}: {one.title}: {one}"[:600] for one in failures.exceptions]
    assert not found, "\n\n".join(found)
    assert len(asked) == sum(len(each) for each in document()["paths"].values())


def schemathesis_test(operation: Any, ask: Any) -> Any:
    """One operation as a property."""

    @given(case=operation.as_strategy())
    def holds(case: Any) -> None:
        ask(case)

    return holds


def _answer(browser: Browser, case: Any, secret: str) -> Response:
    """What our own application answers, in the test's transaction."""
    asked = case.as_transport_kwargs(base_url="http://testserver")
    given_headers = (asked.get("headers") or {}).items()
    headers = {k: v for k, v in given_headers if v.isascii() and v.isprintable()}
    answer = browser.generic(
        asked["method"],
        asked["url"].removeprefix("http://testserver"),
        json.dumps(asked["json"]).encode() if "json" in asked else b"",
        content_type="application/json",
        headers=headers | {"Authorization": f"Bearer {secret}"},
        QUERY_STRING=urlencode(_asked_whole(asked), doseq=True),
    )
    request = requests.Request(asked["method"], asked["url"]).prepare()
    told = {name.lower(): [value] for name, value in answer.headers.items()}
    return Response(answer.status_code, told, answer.content, request, 0.0, verify=True)


def _asked_whole(asked: Any) -> dict[str, Any]:
    """The query without `fields`: what it leaves out is required in the document."""
    return {k: v for k, v in (asked.get("params") or {}).items() if k != "fields"}
