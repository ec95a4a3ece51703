"""Each example of docs/api.md is run, in order, as one story."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from sharing.partners.services import Wish, create_client
from tests.cast import Region
from tests.sessions import sign_in

PAGE = (Path(settings.BASE_DIR) / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```http\n(.*?)^```$", PAGE, re.M | re.S)
PAIRS = list(zip(BLOCKS[::2], BLOCKS[1::2], strict=True))


def test_every_example_has_its_answer() -> None:
    assert len(PAIRS) >= 5
    assert all(not asked.startswith("HTTP/") for asked, _ in PAIRS)
    assert all(answer.startswith("HTTP/1.1 ") for _, answer in PAIRS)


@pytest.mark.django_db
def test_each_example_answers_as_it_says(region: Region) -> None:
    cache.clear()
    region.study()
    region.study()
    wish = Wish(name="RIS", scopes=("studies.read", "webhooks.write"))
    made = create_client(wish=wish, by=region.admin.actor, at=timezone.now())
    known = {"CLIENT": made.client.client_id, "SECRET": made.secret}
    for asked, said in PAIRS:
        answer = ask(asked, known)
        status, _, body = said.partition("\n\n")
        assert answer.status_code == int(status.split()[1]), (asked, answer.content)
        told = answer.json()
        assert fits(json.loads(body), told), (asked, told)
        if "access_token" in told:
            known["TOKEN"] = told["access_token"]


@pytest.mark.django_db
def test_each_example_of_the_document_is_taken(region: Region) -> None:
    """Those beside the operations in docs/openapi.json, by who may."""
    cache.clear()
    ines, tried = sign_in(Browser(), region.admin.user), 0
    document = json.loads((Path(settings.BASE_DIR) / "docs" / "openapi.json").read_text("utf-8"))
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            for example in content.get("application/json", {}).get("examples", {}).values():
                body = json.dumps(example["value"])
                answer = ines.generic(method.upper(), path, body, content_type="application/json")
                assert answer.status_code in (200, 201), (path, answer.content)
                tried += 1
    assert tried >= 2


def ask(block: str, known: dict[str, str]) -> Any:
    """The request that a block writes out."""
    for name, value in known.items():
        block = block.replace(f"${name}", value)
    head, _, body = block.partition("\n\n")
    first, *lines = head.strip().splitlines()
    method, address = first.split()
    path, _, query = address.partition("?")
    headers = dict(line.split(": ", 1) for line in lines)
    kind = headers.pop("Content-Type", "application/json")
    return Browser().generic(
        method, path, body.strip(), content_type=kind, headers=headers, QUERY_STRING=query
    )


def fits(said: Any, told: Any) -> bool:
    """Whether the answer has all that the page says; `…` stands for anything."""
    if said == "…":
        return bool(told)
    if isinstance(said, dict):
        return all(name in told and fits(value, told[name]) for name, value in said.items())
    if isinstance(said, list):
        return len(said) == len(told) and all(map(fits, said, told))
    return bool(said == told)
