"""Coming in by an organization's own sign-in: a real provider, real tokens, and what is refused."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jwt
import pytest
from django.test import Client

from portal import oidc
from portal.accounts import ASKED_ANEW
from sharing.kernel.errors import AddressRefused, BadValue
from sharing.tenants import services
from sharing.tenants.errors import NotAllowed, Taken
from sharing.tenants.models import Membership, Organization, Post, RealmDomain, User
from sharing.tenants.realms import Arrival, arrival_of, mapping_of, roles_for
from sharing.tenants.rules import Role
from tests.cast import NOW, Region, make_organization, make_person
from tests.oidc.house import SECRET, House, running
from tests.sessions import sign_in

MAPPING = {"readers": "radiologist", "desk": "clerk", "heads": "administrator"}
PEOPLE = {
    "nora": {"email": "nora@riverside.example", "name": "Nora Ek", "groups": ["readers", "gods"]},
    "ada": {"email": "ada@riverside.example", "name": "Ada", "groups": ["readers"]},
    "ben": {"email": "ben@hilltop.example", "name": "Ben", "groups": ["readers"]},
    "eve": {"email": "eve@elsewhere.example", "name": "Eve", "groups": ["readers"]},
    "cy": {"email": "cy@riverside.example", "name": "Cy", "groups": ["kitchen"]},
    "twin": {"email": "nora@riverside.example", "name": "Another Nora", "groups": ["readers"]},
    "dot": {"email": "dot@riverside.example", "email_verified": False, "groups": ["readers"]},
}


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """The sign-in of Riverside; Hilltop's people are known to it too, which helps nobody."""
    people = {
        name: {"email_verified": True, "amr": ["pwd", "otp"]} | p for name, p in PEOPLE.items()
    }
    with running(people, "riverside") as found:
        yield found


@pytest.fixture
def open_house(region: Region, house: House, settings: Any) -> House:
    """Riverside has set it up, and the operator confirmed its domain."""
    settings.OUTGOING_ALLOWED = [f"127.0.0.1:{house.port}"]
    said = services.SignIn(
        issuer=house.issuer, client_id="riverside", secret=SECRET, groups_in="groups",
        mapping=MAPPING, domains=["riverside.example"], trusts_factor=True,
    )  # fmt: skip
    services.set_realm(said=said, by=region.admin.actor, at=NOW)
    confirm("riverside.example")
    return house


def operator() -> Any:
    """Nora Lind of the region."""
    found = Organization.objects.filter(kind="operator").first() or make_organization(
        "operator", "Exchange", kind="operator"
    )
    known = User.objects.filter(name="Otto Lang").first()
    if known is None:
        return make_person("Otto Lang", found, Role.OPERATOR).actor
    return services.actor_for_session(known, {}, assured=True)


def confirm(domain: str) -> None:
    """The operator says whose it is."""
    waiting = services.domains_waiting(operator()).get(domain=domain)
    services.confirm_domain(domain_id=waiting.pk, by=operator(), at=NOW)


def test_nora_comes_in_with_what_her_groups_give_and_for_riverside_only(
    open_house: House, region: Region, client: Client
) -> None:
    """The first time makes the account; the factor counts; an unmapped group gives nothing."""
    Organization.objects.filter(pk=region.riverside.pk).update(requires_second_factor=True)
    found = client.post("/sign-in/", {"email": "Nora@Riverside.Example"}).content.decode()
    assert "/accounts/oidc/riverside/login/" in found
    assert (
        "/accounts/oidc/" not in client.post("/sign-in/", {"email": "x@y.example"}).content.decode()
    )
    answer = open_house.lets_in(client, "riverside", "nora")
    assert answer.status_code == 302, answer.content.decode()
    nora = User.objects.get(email="nora@riverside.example")
    assert not nora.has_usable_password()
    held = Membership.objects.filter(user=nora, ended_at=None)
    assert set(held.values_list("organization__code", "role")) == {("riverside", "radiologist")}
    page = client.get("/").content.decode()
    assert "Riverside General Hospital" in page
    services.add_member(
        organization=region.hilltop, user=nora, role=Role.PHYSICIAN, by=region.ben.actor.who, at=NOW
    )
    assert "Hilltop" not in client.get("/").content.decode()
    assert client.post("/act-as/", {"acting": "hilltop:TREAT"}).status_code == 404
    fresh = Client()
    again = open_house.lets_in(fresh, "riverside", "nora", ASKED_ANEW)
    assert again["Location"] == "/"
    assert fresh.session["house_proved_at"] > 0  # a provider that is asked for max_age says when
    assert User.objects.filter(email="nora@riverside.example").count() == 1
    assert open_house.lets_in(Client(), "riverside", "twin").status_code == 403


@pytest.mark.parametrize("who", ["ben", "eve", "cy", "dot"])
def test_who_is_another_houses_unmapped_or_not_vouched_for_stays_out(
    open_house: House, client: Client, who: str
) -> None:
    """One page for all three, no account, no role, no session."""
    before = User.objects.count(), Membership.objects.count()
    answer = open_house.lets_in(client, "riverside", who)
    assert answer.status_code == 403
    assert "example" not in answer.content.decode()
    assert (User.objects.count(), Membership.objects.count()) == before
    assert client.get("/")["Location"].startswith("/accounts/login/")


def test_roles_follow_the_groups_and_who_was_sent_away_stays_away(
    open_house: House, region: Region, client: Client
) -> None:
    """Ada keeps her account; a role that no group gives ends; deactivation is stronger."""
    services.add_member(
        organization=region.riverside, user=region.ada.user, role=Role.CLERK,
        by=region.admin.actor.who, at=NOW,
    )  # fmt: skip
    assert open_house.lets_in(client, "riverside", "ada").status_code == 302
    held = Membership.objects.filter(user=region.ada.user, ended_at=None)
    assert [row.role for row in held] == ["radiologist"]
    post = Post.objects.get(user=region.ada.user)
    services.deactivate(post=post, by=region.admin.actor, at=NOW)
    assert open_house.lets_in(Client(), "riverside", "ada").status_code == 403
    assert not held.all().exists()


def test_nothing_opens_before_the_operator_knows_whose_domain_it_is(
    region: Region, house: House, settings: Any, client: Client
) -> None:
    """Nor for a closed sign-in, nor for an organization that has none; and no inside address."""
    settings.OUTGOING_ALLOWED = [f"127.0.0.1:{house.port}"]
    said = services.SignIn(
        issuer=house.issuer, client_id="riverside", secret=SECRET, groups_in="groups",
        mapping=MAPPING, domains=["riverside.example"],
    )  # fmt: skip
    by = region.admin.actor
    services.set_realm(said=said, by=by, at=NOW)
    assert services.realm_for("nora@riverside.example") is None
    assert house.lets_in(client, "riverside", "nora").status_code == 403
    confirm("riverside.example")
    assert services.realm_for("nora@riverside.example") is not None
    services.set_realm(said=replace(said, secret="", active=False), by=by, at=NOW)
    for code in ("riverside", "hilltop", "nowhere"):
        assert client.get(f"/accounts/oidc/{code}/login/").status_code == 404
    settings.OUTGOING_ALLOWED = []
    with pytest.raises(AddressRefused):
        services.set_realm(said=said, by=by, at=NOW)
    with pytest.raises(NotAllowed):
        services.set_realm(said=said, by=region.ada.actor, at=NOW)


def test_a_domain_is_one_organizations(region: Region, open_house: House) -> None:
    """A second one may say so, and the operator can't confirm it."""
    boss = make_person("Bea Lang", region.hilltop, Role.ADMINISTRATOR).actor
    said = services.SignIn(
        issuer=open_house.issuer, client_id="h", secret=SECRET, groups_in="groups",
        mapping=MAPPING, domains=["riverside.example"],
    )  # fmt: skip
    services.set_realm(said=said, by=boss, at=NOW)
    with pytest.raises(Taken):
        confirm("riverside.example")
    assert RealmDomain.objects.filter(confirmed_at__isnull=False).count() == 1


def test_the_secret_is_sealed_and_tokens_without_a_published_key_are_refused(
    open_house: House, region: Region
) -> None:
    """A copy of the database has no use for it; neither `none` nor the shared secret signs."""
    realm = services.realm_of(region.admin.actor)
    assert realm is not None
    assert SECRET not in realm.sealed_secret
    assert services.secret_of(realm) == SECRET
    checked = oidc.Checked(None, "riverside")  # type: ignore[arg-type]
    for token in (
        jwt.encode({"sub": "x"}, SECRET, algorithm="HS256"),
        jwt.encode({"sub": "x"}, None, algorithm="none"),
        "no token",
    ):
        with pytest.raises(oidc.OAuth2Error):
            checked._decode_id_token(None, token)


def test_what_a_directory_says_is_read_by_type_and_mapped_to_no_region_role() -> None:
    """Odd claims count as absent, and a mapping of long ago makes no operator."""
    odd = arrival_of(
        {"sub": 7, "email": ["x"], "email_verified": "true", "groups": {"a": 1}}, groups_in="groups"
    )
    assert odd == Arrival(subject="", email="", name="", verified=False)
    came = replace(odd, groups=frozenset({"g"}))
    assert roles_for(came, {"g": "operator"}) == frozenset()
    for lines in ("g = operator", "g = client", "g = king", "radiologist", "= clerk"):
        with pytest.raises(BadValue):
            mapping_of(lines)
    assert mapping_of("a=b = clerk\n\n c = auditor") == {"a=b": "clerk", "c": "auditor"}


def test_an_administrator_sets_it_up_and_the_operator_confirms_on_pages(
    region: Region, client: Client, settings: Any
) -> None:
    """The secret is asked for once and never shown."""
    settings.OUTGOING_ALLOWED = ["sso.riverside.example:443"]
    sign_in(client, region.admin.user)
    typed = {
        "issuer": "https://sso.riverside.example", "client_id": "c", "secret": SECRET,
        "groups_in": "groups", "mapping": "readers = radiologist",
        "domains": "riverside.example", "active": "on",
    }  # fmt: skip
    assert client.post("/people/sign-in/", typed | {"secret": ""}).status_code == 422
    assert client.post("/people/sign-in/", typed | {"mapping": "readers"}).status_code == 422
    assert (
        client.post("/people/sign-in/", typed | {"issuer": "https://10.0.0.1"}).status_code == 422
    )
    page = client.post("/people/sign-in/", typed, follow=True).content.decode()
    assert "riverside.example" in page
    assert SECRET not in page
    boss = User.objects.get(public_id=operator().id)
    desk = sign_in(Client(), boss)
    waiting = RealmDomain.objects.get()
    assert "riverside.example" in desk.get("/domains/").content.decode()
    desk.post("/domains/", {"domain": waiting.pk})
    waiting.refresh_from_db()
    assert waiting.confirmed_by == "Otto Lang"
    assert client.get("/domains/").status_code == 404
