"""An organization's console: its administrator signs the terms and sees what is next."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from sharing.tenants import services, terms
from sharing.tenants.models import Organization, User
from sharing.tenants.services import Role
from tests.cast import Person, Region, make_organization, make_person
from tests.sessions import sign_in
from tests.tenants.test_joining import application

pytestmark = pytest.mark.django_db


@pytest.fixture
def olu() -> Person:
    """The region's operator."""
    office = make_organization("office", "Exchange Office", kind="operator")
    return make_person("Olu Park", office, Role.OPERATOR)


@pytest.fixture
def sam(client: Client, olu: Person) -> User:
    """The first administrator of Riverside, signed in; no second factor is asked for."""
    at = timezone.now()
    _, secret = services.apply(application=application(), at=at)
    riverside = services.verify_application(secret=secret, at=at)
    Organization.objects.filter(pk=riverside.pk).update(requires_second_factor=False)
    user = services.accept_documents(organization=riverside, by=olu.actor, at=at)
    services.password_changed(user=user, at=at)
    user.refresh_from_db()
    sign_in(client, user)
    return user


SIGNED = {"signed_by": "Dr Chen", "function": "Medical director", "sha256": terms.SHA256}


def test_the_administrator_reads_and_signs_the_terms(client: Client, sam: User) -> None:
    """From the first page on, in two steps; the second signature finds it done."""
    assert client.get("/")["Location"] == "/organization/"
    assert "sign the region’s terms" in client.get("/organization/").content.decode()
    page = client.get("/organization/terms/").content.decode()
    assert terms.TERMS[0][0] in page
    assert client.post("/organization/terms/", SIGNED)["Location"] == "/organization/"
    assert Organization.objects.get(code="riverside").state == "signed"
    again = client.post("/organization/terms/", SIGNED, follow=True).content.decode()
    assert "signed already" in again
    assert "Dr Chen, Medical director, signed the terms" in again


@pytest.mark.parametrize("wrong", [{"signed_by": ""}, {"function": ""}, {"sha256": "0" * 64}])
def test_a_signature_without_name_function_or_reading_is_none(
    client: Client, sam: User, wrong: dict[str, str]
) -> None:
    """The page says what is missing, and nothing is signed."""
    assert client.post("/organization/terms/", SIGNED | wrong).status_code == 422
    assert Organization.objects.get(code="riverside").state == "checked"


def test_the_operator_takes_each_step_that_is_open_and_no_other(
    client: Client, sam: User, olu: Person
) -> None:
    """From signed to suspended and back, each with its reason; a page of each state."""
    client.post("/organization/terms/", SIGNED)
    office = sign_in(Client(), olu.user)
    url = "/operator/riverside/"
    for decision, state, more in (
        ("untested", "tested", {"untested-why": "A clinic without machines."}),
        ("activate", "active", {}),
        ("suspend", "suspended", {"suspend-why": "An audit."}),
        ("resume", "active", {"resume-why": "The audit is over."}),
        ("offboard", "offboarding", {"offboard-why": "It merges with Hilltop."}),
        ("stay", "suspended", {"stay-why": "It does not."}),
    ):
        page = office.get(url).content.decode()
        assert f'value="{decision}"' in page
        if more:
            assert office.post(url, {"decision": decision}).status_code == 422
        assert office.post(url, {"decision": decision} | more).status_code == 302
        assert Organization.objects.get(code="riverside").state == state
    assert 'value="accept"' not in office.get(url).content.decode()
    assert "An audit." in office.get(url).content.decode()


def test_the_console_is_the_administrators_alone(client: Client, region: Region) -> None:
    """For all others it is not there."""
    for person in (region.ada, region.mei, region.olga, region.ben):
        sign_in(client, person.user)
        assert client.get("/organization/").status_code == 404
        assert client.get("/organization/terms/").status_code == 404
    sign_in(client, region.admin.user)
    assert client.get("/organization/").status_code == 200
    assert "简体中文" in client.get("/organization/texts/").content.decode()


def test_the_overview_says_what_waits_and_leads_there(client: Client, region: Region) -> None:
    """An invitation, roles without a second factor, a connection that nobody tested; then less."""
    sign_in(client, region.admin.user)
    page = client.get("/organization/").content.decode()
    assert "Invitations not followed yet" not in page
    assert "The connection was never tested" in page
    services.invite(
        name="Nia Okafor", email="nia@riverside.example", roles=[Role.CLERK],
        by=region.admin.actor, at=timezone.now(),
    )  # fmt: skip
    page = client.get("/organization/").content.decode()
    assert "Invitations not followed yet" in page
    assert 'href="/people/"' in page


def test_the_console_stands_beside_each_of_its_pages_and_no_other(
    client: Client, region: Region, olu: Person
) -> None:
    """With the word of the page marked, numbers beside words, and no word twice."""
    sign_in(client, region.admin.user)
    for page, word in (
        ("/organization/audit/", "Audit"),
        ("/people/invite/", "People"),
        ("/clients/new/", "API clients"),
        ("/webhooks/", "Webhooks"),
        ("/agreements/", "Agreements"),
    ):
        text = client.get(page).content.decode()
        assert re.search(rf'aria-current="page">{word}( <span class="mute">\d+</span>)?</a>', text)
        above = re.search(r'<nav class="nav-main".*?</nav>', text, re.DOTALL)
        assert above, page
        assert word not in above.group(), page
    assert "Pages of this organization" not in client.get("/notices/").content.decode()
    sign_in(client, region.olga.user)
    assert "Pages of" not in client.get("/agreements/").content.decode()
    sign_in(client, olu.user)
    assert "Pages of the region" in client.get("/agreements/").content.decode()


def test_the_audit_tells_who_changed_what_and_names_no_patient(
    client: Client, region: Region
) -> None:
    """Also where the log holds studies and consents of the same organization."""
    region.study()
    region.permit()
    services.invite(
        name="Nia Okafor", email="nia@riverside.example", roles=[Role.CLERK],
        by=region.admin.actor, at=timezone.now(),
    )  # fmt: skip
    sign_in(client, region.admin.user)
    page = client.get("/organization/audit/").content.decode()
    assert "nvited" in page
    assert "onsent C-" not in page
    assert "ecorded a consent" not in page
    assert "nvited" not in client.get("/organization/audit/?only=machines").content.decode()
    sign_in(client, region.ada.user)
    assert client.get("/organization/audit/").status_code == 404
