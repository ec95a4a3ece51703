"""Scope, role and consent at every door that writes: each alone changes nothing, all together do.

What is expected is written here by hand, after docs/roles.md and the scopes that docs/api.md and
SMART App Launch name: nothing of it is asked of the code.
"""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client as Browser
from django.utils import timezone

from sharing.access.models import AccessRequest, Share
from sharing.access.services import ask_access
from sharing.archive.models import Batch, Instance, Study, Upload
from sharing.consent.models import Consent
from sharing.exchange.models import Album, ShareLink
from sharing.kernel.purposes import Action, Purpose
from sharing.notify.models import Webhook
from sharing.partners.models import AccessToken, Client
from sharing.partners.rules import SCOPES
from sharing.partners.services.acting import stamp_of
from sharing.tenants.models import Organization, Post, User
from sharing.tenants.rules import Role
from tests.cast import Region, make_person
from tests.dicom.corpus import dataset, part10
from tests.exchange.giving import lets_links
from tests.faces.api.conftest import TUS
from tests.faces.dicomweb.conftest import content_type, multipart
from tests.faces.fhir.conftest import browser, fhir_id
from tests.faces.fhir.test_consents import sent as a_consent
from tests.faces.fhir.test_subscriptions import sent as a_subscription
from tests.faces.scim.test_scim import has_a_domain

FHIR = "application/fhir+json"
API = "/api/v1"
MACHINE = "machine"
PEOPLE = (
    "administrator", "privacy_officer", "radiologist", "physician", "technologist", "clerk",
    "auditor", "researcher",
)  # fmt: skip
RESOURCES = (
    "ImagingStudy", "DiagnosticReport", "DocumentReference", "Patient", "Organization",
    "Practitioner", "PractitionerRole", "Endpoint", "Consent", "AuditEvent", "Subscription",
)  # fmt: skip
ROWS = (
    AccessRequest, Share, Batch, Upload, Instance, Study, Consent, Album, ShareLink, Webhook,
    Client, User, Post,
)  # fmt: skip


@dataclass(frozen=True)
class Door:
    """Something that is written: by which scopes, by whom, and whether Pat must have agreed."""

    name: str
    own: str
    smart: str
    """A resource and all the letters that together stand for our scope; blank: none of SMART's."""
    who: tuple[str, ...]
    asks_pat: bool = False
    names: bool = False
    """Whether it changes something of Riverside's that is there already."""
    refused: int = 403
    """What a token without the scope meets."""


ERASERS = ("privacy_officer", MACHINE)
SENDERS, DOCTORS = ("technologist", "clerk", MACHINE), ("radiologist", "physician")
HOOKERS = ("administrator", MACHINE)
GUARDS = (*DOCTORS, "privacy_officer")
DOORS = (
    Door("store", "dicomweb.write", "ImagingStudy.c", SENDERS),
    Door("store_into", "dicomweb.write", "ImagingStudy.c", SENDERS),
    Door("upload", "uploads.write", "ImagingStudy.c", SENDERS),
    Door("delete_study", "studies.delete", "ImagingStudy.d", ERASERS, names=True),
    Door("share", "shares.write", "", DOCTORS, asks_pat=True, names=True),
    Door("end_share", "shares.write", "", GUARDS, names=True),
    Door("link", "links.write", "", DOCTORS, asks_pat=True, names=True),
    Door("end_link", "links.write", "", GUARDS, names=True),
    Door("album", "albums.write", "", DOCTORS),
    Door("ask", "requests.write", "", DOCTORS),
    Door("refuse_request", "requests.write", "", DOCTORS, names=True),
    Door("withdraw_consent", "consents.write", "Consent.cu", ("clerk",), names=True),
    Door("fhir_consent", "consents.write", "Consent.c", ("clerk",)),
    Door("fhir_withdraw", "consents.write", "Consent.u", ("clerk",), names=True),
    Door("subscribe", "webhooks.write", "Subscription.c", HOOKERS),
    Door("fhir_pause", "webhooks.write", "Subscription.u", HOOKERS, names=True),
    Door("unsubscribe", "webhooks.write", "Subscription.d", HOOKERS, names=True),
    Door("webhook", "webhooks.write", "Subscription.cud", HOOKERS),
    Door("pause_webhook", "webhooks.write", "Subscription.cud", HOOKERS, names=True),
    Door("make_client", "clients.write", "", ("administrator",)),
    Door("end_client", "clients.write", "", ("administrator",), names=True),
    Door("provision", "people.write", "", (MACHINE,), refused=404),
    Door("end_person", "people.write", "", (MACHINE,), names=True, refused=404),
)  # fmt: skip


class World:
    """Riverside with one of everything, and those who knock, each with a token to write on."""

    def __init__(self, region: Region, *, pat: str = "agreed") -> None:
        self.region, self.now = region, timezone.now()
        has_a_domain(region)
        region.at = self.now - timedelta(hours=1)
        shown = frozenset({*Action.DOWNLOAD.ladder, Action.RESHARE})
        self.consent = region.permit(organizations=(), named_by_custodian=True, actions=shown)
        linked = lets_links(region, region.at)
        self.study = region.study()
        name = fhir_id(self.consent.public_id)
        self.said = browser(region.mei).get(f"/fhir/Consent/{name}").json()
        self.tokens: dict[tuple[str, str], AccessToken] = {}
        self.ada = self.held("radiologist", "riverside", everything())
        self.ines = self.held("administrator", "riverside", everything())
        self.given = self._made(self.share, self.ada)
        self.linked = self._made(self.link, self.ada)
        self.hook = self._made(self.webhook, self.ines)
        self.subscribed = self._made(self.subscribe, self.ines)
        self.client = self._made(self.make_client, self.ines)
        self.asked = self._asked()
        if pat == "withdrew":
            region.revoke(self.consent, at=self.now)
            region.revoke(linked, at=self.now)
        for house in ("riverside", "lakeside"):
            for speaker in (*PEOPLE, MACHINE):
                self.held(speaker, house, everything())
        self.before = self._rows()

    def _asked(self) -> str:
        region = self.region
        return ask_access(
            custodian=region.riverside, identifier="RV-1", birth_date=region.pat.birth_date,
            reason="Follow-up", by=region.ben.actor, at=self.now,
        ).public_id  # fmt: skip

    def _made(self, verb: Callable[[dict[str, str]], Any], held: dict[str, str]) -> str:
        answer = verb(held)
        assert answer.status_code == 201, answer.content
        return str(answer.json()["id"])

    def held(self, speaker: str, house: str, scopes: str) -> dict[str, str]:
        """The header of that speaker's token, which from now on carries these scopes."""
        token = self.tokens.get((speaker, house)) or self._token(speaker, house)
        self.tokens[speaker, house] = token
        level = "system/" if speaker == MACHINE else "user/"
        AccessToken.objects.filter(pk=token.pk).update(scope=scopes.replace("~/", level))
        return {"Authorization": f"Bearer raw-{speaker}-{house}"}

    def _token(self, speaker: str, house: str) -> AccessToken:
        organization = getattr(self.region, house)
        client = _client(organization, speaker)
        token = AccessToken(
            application=client, purpose=client.purpose or Purpose.TREATMENT, assured=True,
            expires=self.now + timedelta(hours=1),
        )  # fmt: skip
        if speaker != MACHINE:
            person = make_person(f"{speaker}_app One", organization, Role(speaker))
            token.user, token.stamp = person.user, stamp_of(person.user)
            token.purpose = person.actor.purpose
        token._raw_token = f"raw-{speaker}-{house}"
        token.save()
        return token

    # --- the doors ------------------------------------------------------------------------------
    def store_into(self, held: dict[str, str]) -> Any:
        """Into a study that is named."""
        return self.store(held, where="/dicomweb/studies/2.25.78")

    def store(self, held: dict[str, str], where: str = "/dicomweb/studies") -> Any:
        file = part10(dataset(SOPInstanceUID="2.25.77", StudyInstanceUID="2.25.78"))
        return Browser().post(where, multipart(file), content_type=content_type(), headers=held)

    def upload(self, held: dict[str, str]) -> Any:
        """A batch, a file in it, its bytes: the first refusal is the answer."""
        opened = Browser().post(f"{API}/upload-batches/", headers=held)
        if opened.status_code != 201:
            return opened
        batch = base64.b64encode(opened.json()["id"].encode()).decode()
        told = {"Upload-Length": "4", "Upload-Metadata": f"filename Zg==,batch {batch}"}
        announced = Browser().post(f"{API}/uploads/", headers=held | TUS | told)
        if announced.status_code != 201:
            return announced
        return Browser().patch(
            announced["Location"], b"DICM", content_type="application/offset+octet-stream",
            headers=held | TUS | {"Upload-Offset": "0"},
        )  # fmt: skip

    def delete_study(self, held: dict[str, str]) -> Any:
        where, why = f"{API}/studies/{self.study.public_id}/", {"reason": "other", "words": "Twice"}
        return Browser().delete(where, why, content_type="application/json", headers=held)

    def share(self, held: dict[str, str]) -> Any:
        return self._post("shares/", self._wish() | {"to": "hilltop"}, held)

    def link(self, held: dict[str, str]) -> Any:
        return self._post("links/", self._wish(), held)

    def _wish(self) -> dict[str, Any]:
        until = (self.now + timedelta(days=7)).isoformat()
        return {"studies": [self.study.public_id], "until": until}

    def end_share(self, held: dict[str, str]) -> Any:
        return Browser().delete(f"{API}/shares/{self.given}/", headers=held)

    def end_link(self, held: dict[str, str]) -> Any:
        return Browser().delete(f"{API}/links/{self.linked}/", headers=held)

    def album(self, held: dict[str, str]) -> Any:
        return self._post("albums/", self._wish() | {"name": "Board", "studies": []}, held)

    def ask(self, held: dict[str, str]) -> Any:
        body = {"custodian": "lakeside", "identifier": "L-1", "birth_date": "1958-05-03"}
        return self._post("requests/", body | {"reason": "Follow-up of a nodule"}, held)

    def refuse_request(self, held: dict[str, str]) -> Any:
        return self._post(f"requests/{self.asked}/refuse/", {"why": "Not ours."}, held)

    def withdraw_consent(self, held: dict[str, str]) -> Any:
        where = f"consents/{self.consent.public_id}/revoke/"
        return self._post(where, {"why": "By phone."}, held)

    def fhir_consent(self, held: dict[str, str]) -> Any:
        body = a_consent(self.region)
        return Browser().post("/fhir/Consent", body, content_type=FHIR, headers=held)

    def fhir_withdraw(self, held: dict[str, str]) -> Any:
        body, where = self.said | {"status": "inactive"}, f"/fhir/Consent/{self.said['id']}"
        tagged = held | {"If-Match": 'W/"1"'}
        return Browser().put(where, body, content_type=FHIR, headers=tagged)

    def subscribe(self, held: dict[str, str]) -> Any:
        body = a_subscription()
        return Browser().post("/fhir/Subscription", body, content_type=FHIR, headers=held)

    def fhir_pause(self, held: dict[str, str]) -> Any:
        body = a_subscription(id=self.subscribed, status="off")
        where = f"/fhir/Subscription/{self.subscribed}"
        return Browser().put(where, body, content_type=FHIR, headers=held)

    def unsubscribe(self, held: dict[str, str]) -> Any:
        return Browser().delete(f"/fhir/Subscription/{self.subscribed}", headers=held)

    def webhook(self, held: dict[str, str]) -> Any:
        body = {"url": "https://ris.example.org/hook", "kinds": ["study.settled"]}
        return self._post("webhooks/", body, held)

    def pause_webhook(self, held: dict[str, str]) -> Any:
        where = f"{API}/webhooks/{self.hook}/"
        body = {"paused": True}
        return Browser().patch(where, body, content_type="application/json", headers=held)

    def make_client(self, held: dict[str, str]) -> Any:
        return self._post("clients/", {"name": "PACS", "scopes": ["dicomweb.write"]}, held)

    def end_client(self, held: dict[str, str]) -> Any:
        return Browser().delete(f"{API}/clients/{self.client}/", headers=held)

    def provision(self, held: dict[str, str]) -> Any:
        return self._scim("POST", "Users", held, {"userName": "nora@riverside.example"})

    def end_person(self, held: dict[str, str]) -> Any:
        mei = Post.objects.get(user=self.region.mei.user)
        return self._scim("DELETE", f"Users/{mei.public_id}", held, {})

    def _scim(self, method: str, where: str, held: dict[str, str], body: dict[str, Any]) -> Any:
        kind, url = "application/scim+json", f"/scim/v2/{where}"
        return Browser().generic(method, url, json.dumps(body), content_type=kind, headers=held)

    def _post(self, where: str, body: dict[str, Any], held: dict[str, str]) -> Any:
        url = f"{API}/{where}"
        return Browser().post(url, body, content_type="application/json", headers=held)

    # --- what comes of it -----------------------------------------------------------------------
    def knock(self, door: Door, speaker: str, scopes: str, house: str = "riverside") -> int:
        """The status; what was written is taken back, and a refusal wrote nothing."""
        held = self.held(speaker, house, scopes)
        with transaction.atomic():
            answer = getattr(self, door.name)(held)
            status = int(answer.status_code)
            assert status < 300 or self._rows() == self.before, (door.name, speaker, scopes)
            transaction.set_rollback(True)
        return status

    def _rows(self) -> list[int]:
        return [row.objects.count() for row in ROWS]


def _client(organization: Organization, speaker: str) -> Client:
    app = speaker != MACHINE
    kind = Client.GRANT_AUTHORIZATION_CODE if app else Client.GRANT_CLIENT_CREDENTIALS
    return Client.objects.create(
        organization=organization, name=speaker, authorization_grant_type=kind,
        client_type=Client.CLIENT_CONFIDENTIAL, redirect_uris="https://app.example.org/",
        scopes=[], purpose="" if app else Purpose.TREATMENT,
    )  # fmt: skip


def everything() -> str:
    """Every scope that there is."""
    return " ".join([*SCOPES, "~/*.cruds"])


def just_enough(door: Door) -> Iterator[str]:
    """Each of the ways in which a token may carry what the door asks, and nothing else."""
    yield door.own
    resource, _, letters = door.smart.partition(".")
    if resource:
        yield f"~/{resource}.{letters}"
        yield f"~/{resource}.cruds"
        yield f"~/*.{letters}"
        yield " ".join(f"~/{resource}.{letter}" for letter in letters)
    if resource and set(letters) <= set("cud"):
        yield f"~/{resource}.write"


def all_but(door: Door) -> Iterator[str]:
    """Everything that does not open the door, in as few tokens as say it."""
    others = [own for own in SCOPES if own != door.own]
    resource, _, letters = door.smart.partition(".")
    kinds = [f"~/{name}.cruds" for name in RESOURCES if name != resource]
    if not resource:
        yield " ".join([*others, *kinds])
    for letter in letters:
        less = "cruds".replace(letter, "")
        yield " ".join([*others, *kinds, f"~/*.{less}", f"~/{resource}.{less}"])


@pytest.fixture(autouse=True)
def nothing_counted(own_scratch: None) -> None:
    """No limit of requests is in the way."""
    cache.clear()


def test_a_door_opens_by_its_scope_in_the_hand_of_its_role_alone(region: Region) -> None:
    world = World(region)
    for door in DOORS:
        for speaker in (*PEOPLE, MACHINE):
            _knock_with_each(world, door, speaker)


def _knock_with_each(world: World, door: Door, speaker: str) -> None:
    cache.clear()
    full, about = world.knock(door, speaker, everything()), (door.name, speaker)
    if speaker not in door.who:
        assert full in (403, 404), (*about, full)
        return
    assert full < 300, (*about, full)
    ways = list(just_enough(door))
    for scopes in ways if speaker == door.who[-1] else ways[:2]:
        assert world.knock(door, speaker, scopes) < 300, (*about, scopes)
    for scopes in all_but(door):
        assert world.knock(door, speaker, scopes) == door.refused, (*about, scopes)
    if door.names:
        assert world.knock(door, speaker, everything(), "lakeside") == 404, about


def test_scope_and_role_open_nothing_that_pat_withdrew(region: Region) -> None:
    world = World(region, pat="withdrew")
    for door in DOORS:
        for speaker in door.who if door.asks_pat else ():
            assert world.knock(door, speaker, everything()) == 409, (door.name, speaker)
