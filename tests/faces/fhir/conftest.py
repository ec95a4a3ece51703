"""Partners at the FHIR door."""

from typing import Any

import pytest
from django.test import Client

from tests.archive.conftest import own_store
from tests.cast import Person, Region
from tests.sessions import sign_in

Json = dict[str, Any]
__all__ = ["own_store"]


def browser(person: Person) -> Client:
    """Somebody who is signed in."""
    return sign_in(Client(), person.user)


def fhir_id(name: str) -> str:
    """A name of ours as FHIR writes it."""
    return name.replace("_", ".")


def found(client: Client, path: str, **headers: str) -> Json:
    """The Bundle of a search."""
    response = client.get(f"/fhir/{path}", headers=headers)
    assert response.status_code == 200, response.content
    bundle: Json = response.json()
    assert bundle["resourceType"] == "Bundle"
    return bundle


def ids(bundle: Json, mode: str = "match") -> list[str]:
    """The ids of its matches, or of what it includes."""
    entries = bundle.get("entry", [])
    return [e["resource"]["id"] for e in entries if e["search"]["mode"] == mode]


@pytest.fixture
def ada(region: Region) -> Client:
    """Riverside's radiologist."""
    return browser(region.ada)


@pytest.fixture
def ben(region: Region) -> Client:
    """Hilltop's physician."""
    return browser(region.ben)


@pytest.fixture
def cleo(region: Region) -> Client:
    """Lakeside's physician, who must see nothing."""
    return browser(region.cleo)
