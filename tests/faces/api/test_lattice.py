"""Scope, role and consent: each alone opens nothing, all three together do."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from sharing.partners.models import AccessToken
from sharing.partners.services import Wish, create_client, issue_token
from sharing.partners.services.acting import stamp_of
from sharing.tenants.rules import Role
from tests.cast import Person, Region, make_person

SCOPES = ("", "studies.read", "system/ImagingStudy.rs", "dicomweb.read", "uploads.write")
READS = {"studies.read", "system/ImagingStudy.rs"}
IMAGES = {"dicomweb.read", "system/ImagingStudy.rs"}


def machine(region: Region, scope: str) -> dict[str, str]:
    """Hilltop's, with that one scope; without any a token can't be made, so it carries another."""
    secret = issue_token(
        organization=region.hilltop, name="RIS", scopes=[scope or "jobs.read"], at=timezone.now()
    )
    return {"Authorization": f"Bearer {secret}"}


def app(person: Person, scope: str) -> dict[str, str]:
    """The token of an app that this person of Hilltop let act."""
    boss = make_person("Bo Fox", person.organization, Role.ADMINISTRATOR)
    wished = scope.replace("system/", "user/") or "jobs.read"
    redirects = ("https://app.example.org/",)
    wish = Wish(name="App", scopes=(wished,), app=True, public=True, redirects=redirects)
    client = create_client(wish=wish, by=boss.actor, at=timezone.now()).client
    boss.user.delete()
    token = AccessToken(
        user=person.user, application=client, scope=wished, token="", assured=True,
        purpose=person.actor.purpose, stamp=stamp_of(person.user),
        expires=timezone.now() + timedelta(minutes=5),
    )  # fmt: skip
    token._raw_token = f"raw-{client.pk}"
    token.save()
    return {"Authorization": f"Bearer raw-{client.pk}"}


@pytest.mark.django_db
@pytest.mark.parametrize("consented", [False, True])
@pytest.mark.parametrize("speaker", ["machine", "physician", "administrator", "researcher"])
def test_scope_and_role_and_consent_must_all_allow(
    region: Region, speaker: str, consented: bool
) -> None:
    """Each point of the lattice: what REST, FHIR and DICOMweb answer about one study of Pat's."""
    cache.clear()
    now = timezone.now()
    study = region.study()
    if consented:
        region.permit(at=now)
    for scope in SCOPES:
        held, treats = _speaker(region, speaker, scope)
        seen = consented and treats
        read = _status(held, f"/api/v1/studies/{study.public_id}/")
        assert read == (200 if seen else 404) if scope in READS else read == 403, scope
        wado = _status(held, f"/dicomweb/studies/{study.study_uid}/metadata")
        if scope not in IMAGES:
            assert wado == 403, scope
        else:
            assert (wado == 404) is not seen, scope
        found = _status(held, "/fhir/ImagingStudy?_summary=count")
        assert found == (200 if scope in READS else 403), scope
        if scope in READS:
            listed = Browser().get("/api/v1/studies/", headers=held).json()["results"]
            counted = Browser().get("/fhir/ImagingStudy?_summary=count", headers=held).json()
            assert (len(listed), counted["total"]) == (int(seen), int(seen)), scope


def _speaker(region: Region, speaker: str, scope: str) -> tuple[dict[str, str], bool]:
    if speaker == "machine":
        return machine(region, scope), True
    if speaker == "physician":
        return app(region.ben, scope), True
    role = {"administrator": Role.ADMINISTRATOR, "researcher": Role.RESEARCHER}[speaker]
    person = make_person(f"{scope or 'No'} One", region.hilltop, role)
    return app(person, scope), False


def _status(held: dict[str, str], path: str) -> int:
    answer: Any = Browser().get(path, headers=held)
    return int(answer.status_code)
