"""Every operation of the REST face shows what is sent and what comes back, and it is so."""

import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from rest_framework.serializers import Serializer

from portal.errors import STATUS, TITLES
from sharing.api.examples import OF_FORMS, OF_OPERATIONS
from sharing.api.schema import answers
from tests.faces.api.test_openapi import document

DOCUMENT = document()
OPERATIONS = {
    each["operationId"]: each
    for operations in DOCUMENT["paths"].values()
    for each in operations.values()
}
OURS = {"invalid", "changed", "forbidden", "too_many"} | set(STATUS)


def bodies() -> Iterator[tuple[str, Any]]:
    """By operation, what a body is."""
    for name, operation in OPERATIONS.items():
        for told in operation.get("requestBody", {}).get("content", {}).values():
            yield name, told


def shown(told: dict[str, Any]) -> list[Any]:
    """The examples beside a body or an answer."""
    named = [each["value"] for each in told.get("examples", {}).values()]
    return named + ([told["example"]] if "example" in told else [])


CLOSED = {
    name: {"additionalProperties": False} | form if "properties" in form else form
    for name, form in DOCUMENT["components"]["schemas"].items()
}


def strictly(schema: dict[str, Any]) -> OAS30Validator:
    """By the document, and nothing that the document does not name."""
    whole = schema | {"components": {"schemas": CLOSED}}
    return OAS30Validator(whole, format_checker=oas30_format_checker)


def form_of(schema: dict[str, Any]) -> Serializer[Any]:
    """The face's own form that a body is read by."""
    name = schema["$ref"].rpartition("/")[2]
    import_module("sharing.api.urls")
    found, kinds = {}, list(Serializer.__subclasses__())
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        if kind.__module__.startswith("sharing.api."):
            found[kind.__name__] = kind
    return found[name.removeprefix("Patched")](partial=name.startswith("Patched"))


def test_every_body_and_every_answer_has_an_example() -> None:
    without = [name for name, told in bodies() if not shown(told)]
    for name, operation in OPERATIONS.items():
        without += [name for _, told in answers(operation) if not shown(told)]
    assert not without
    assert len(OPERATIONS) > 50


def test_every_refusal_has_an_example_with_its_status_and_a_code_that_we_use() -> None:
    known = DOCUMENT["components"]["examples"]
    for name, operation in OPERATIONS.items():
        for code, answer in operation["responses"].items():
            if code < "400":
                continue
            [reference] = answer["content"]["application/problem+json"]["examples"].values()
            told = known[reference["$ref"].rpartition("/")[2]]["value"]
            assert (str(told["status"]), told["title"]) == (code, TITLES[int(code)]), name
            assert told["code"] in OURS, told
            assert STATUS.get(told["code"], int(code)) == int(code), told
            strictly({"$ref": "#/components/schemas/Problem"}).validate(told)


@pytest.mark.parametrize(("name", "told"), [pytest.param(*each, id=each[0]) for each in bodies()])
def test_a_body_that_is_shown_would_be_taken(name: str, told: dict[str, Any]) -> None:
    for example in shown(told):
        strictly(told["schema"]).validate(example)
        form = form_of(told["schema"])
        form.initial_data = example
        assert form.is_valid(), form.errors
        assert set(example) <= set(form.fields)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_answer_that_is_shown_is_of_its_form(name: str) -> None:
    for _, told in answers(OPERATIONS[name]):
        for example in shown(told):
            strictly(told["schema"]).validate(example)


def test_no_example_is_left_without_an_operation() -> None:
    used = json.dumps(DOCUMENT["paths"]) + json.dumps(DOCUMENT["components"]["schemas"])
    unused = {name for name in OF_FORMS if f'schemas/{name}"' not in used}
    assert not unused
    assert set(OF_OPERATIONS) <= set(OPERATIONS)
