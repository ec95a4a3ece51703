"""Coming in by an organization's own SAML identity provider, and every answer that is refused."""

import copy
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from lxml import etree

from sharing.kernel import extras
from sharing.kernel.errors import Absent, BadValue
from sharing.tenants import services
from sharing.tenants.errors import NotAllowed
from sharing.tenants.models import Membership, Post, Realm, User
from sharing.tenants.rules import Role
from sharing.tenants.services.saml import described
from tests.cast import NOW, Region, make_organization, make_person
from tests.saml.house import NS, Answer, asked_by, encoded, metadata, posted
from tests.sessions import sign_in

MAPPING = {"readers": "radiologist", "heads": "administrator"}
NORA = {"mail": ["nora@riverside.example"], "displayName": ["Nora Ek"], "groups": ["readers"]}
NOTHING = services.SamlSignIn("", "", "", "", {}, [])
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"


def opened(by: Any, name: str, domain: str, *keys: str) -> Realm:
    """An organization's sign-in by SAML, its domain confirmed by Otto of the operator."""
    said = services.SamlSignIn(
        metadata=metadata(name, *keys), email_in="mail", name_in="displayName",
        groups_in="groups", mapping=MAPPING, domains=[domain], trusts_factor=True,
    )  # fmt: skip
    realm = services.set_saml(said=said, by=by, at=NOW)
    office = make_organization(f"office-{name}", "Exchange", kind="operator")
    otto = make_person("Otto Lang", office, Role.OPERATOR).actor
    waiting = services.domains_waiting(otto).get(domain=domain)
    services.confirm_domain(domain_id=waiting.pk, by=otto, at=NOW)
    return realm


@pytest.fixture
def realm(region: Region) -> Realm:
    """Riverside's."""
    return opened(region.admin.actor, "riverside", "riverside.example")


def answer(browser: Client, **bent: Any) -> Answer:
    """Nora's, to a request that this browser made; with what a test bends."""
    values: dict[str, Any] = {"attributes": NORA} | bent
    return Answer(request=asked_by(browser)[0], **values)


def comes_in(browser: Client, **bent: Any) -> Any:
    return posted(browser, encoded(answer(browser, **bent).tree()))


def test_nora_comes_in_with_what_her_groups_give_and_for_riverside_only(
    realm: Realm, region: Region, client: Client
) -> None:
    """Her address leads there, the first time makes the account, the factor counts."""
    found = client.post("/sign-in/", {"email": "Nora@Riverside.Example"}).content.decode()
    assert "/accounts/saml/riverside/login/" in found
    assert "sso.riverside.example.org" in found
    came = comes_in(client)
    assert (came.status_code, came["Location"]) == (302, "/")
    nora = User.objects.get(email="nora@riverside.example")
    assert nora.name == "Nora Ek"
    assert not nora.has_usable_password()
    held = Membership.objects.filter(user=nora, ended_at=None)
    assert set(held.values_list("organization__code", "role")) == {("riverside", "radiologist")}
    assert "Riverside General Hospital" in client.get("/").content.decode()
    services.add_member(
        organization=region.hilltop, user=nora, role=Role.PHYSICIAN, by=region.ben.actor.who, at=NOW
    )
    assert client.post("/act-as/", {"acting": "hilltop:TREAT"}).status_code == 404
    assert comes_in(Client())["Location"] == "/"
    assert User.objects.filter(email="nora@riverside.example").count() == 1
    assert comes_in(Client(), subject="another").status_code == 403
    assert client.get("/accounts/oidc/riverside/login/").status_code == 404


def unsigned(browser: Client) -> str:
    return encoded(answer(browser, signed_by=None).tree())


def signed_by_another(browser: Client) -> str:
    return encoded(answer(browser, signed_by="a stranger").tree())


def changed_after_signing(browser: Client) -> str:
    tree = answer(browser).tree()
    tree.find(".//saml:AttributeValue", NS).text = "ada@riverside.example"
    return encoded(tree)


def response_signed_alone(browser: Client) -> str:
    """The message is signed and what it holds is not: assertions must be."""
    made = answer(browser, signed_by=None)
    tree = made.tree()
    tree.insert(1, etree.Element(SIGNATURE, Id="placeholder"))
    return encoded(Answer._signed(answer(browser), tree))


def _evil(tree: Any) -> Any:
    """A copy of the signed assertion that says somebody else, without the signature."""
    evil = copy.deepcopy(tree.find("saml:Assertion", NS))
    evil.remove(evil.find(SIGNATURE))
    evil.find(".//saml:AttributeValue", NS).text = "ada@riverside.example"
    evil.find(".//saml:NameID", NS).text = "ada-1"
    return evil


def wrapped_beside(browser: Client) -> str:
    """The forged one first, the signed one after it."""
    tree = answer(browser).tree()
    evil = _evil(tree)
    evil.set("ID", "_evil")
    tree.insert(2, evil)
    return encoded(tree)


def wrapped_inside(browser: Client) -> str:
    """The forged one holds the signed one, in its own signature's object."""
    tree = answer(browser).tree()
    good, evil = tree.find("saml:Assertion", NS), _evil(tree)
    signature = good.find(SIGNATURE)
    good.remove(signature)
    evil.insert(1, signature)
    box = etree.SubElement(signature, "{http://www.w3.org/2000/09/xmldsig#}Object")
    tree.remove(good)
    box.append(good)
    evil.set("ID", "_evil")
    tree.append(evil)
    return encoded(tree)


def wrapped_with_the_same_id(browser: Client) -> str:
    """Both carry the id that was signed."""
    tree = answer(browser).tree()
    good, evil = tree.find("saml:Assertion", NS), _evil(tree)
    box = etree.SubElement(tree, "{urn:oasis:names:tc:SAML:2.0:protocol}Extensions")
    tree.remove(good)
    box.append(good)
    tree.append(evil)
    return encoded(tree)


def cut_by_a_comment(browser: Client) -> str:
    """Who owns ada@riverside.example.evil.example writes it so that a parser stops early."""
    bent = {"mail": ["nora@riverside.example<!-- -->.evil.example"], "groups": ["readers"]}
    return encoded(answer(browser, attributes=bent).tree())


def with_a_document_type(browser: Client) -> str:
    import base64

    bare = etree.tostring(answer(browser).tree())
    return base64.b64encode(b'<!DOCTYPE r [<!ENTITY x "y">]>' + bare).decode()


FORGED = (
    unsigned, signed_by_another, changed_after_signing, response_signed_alone, wrapped_beside,
    wrapped_inside, wrapped_with_the_same_id, cut_by_a_comment, with_a_document_type,
)  # fmt: skip
BENT: tuple[dict[str, Any], ...] = (
    {"audience": "https://other.example.org"},
    {"recipient": "https://other.example.org/acs"},
    {"recipient": "http://testserver/accounts/saml/riverside/acs/../x"},
    {"destination": "https://other.example.org/acs"},
    {"age": timedelta(hours=1)},
    {"age": timedelta(hours=-1)},
    {"confirms": ""},
    {"confirms": "_another"},
    {"provider": "hilltop"},
    {"provider": "hilltop", "signed_by": "riverside"},
    {"subject": ""},
    {"subject": "x" * 300},
    {"format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"},
    {"attributes": NORA | {"groups": ["kitchen"]}},
    {"attributes": NORA | {"mail": ["ben@hilltop.example"]}},
    {"attributes": NORA | {"mail": ["eve@elsewhere.example"]}},
)


def test_what_the_house_did_not_sign_lets_nobody_in(realm: Realm) -> None:
    """One page for all, no account, no session."""
    for forged in FORGED:
        refused(forged, forged.__name__)


def test_what_is_for_others_or_over_or_of_others_lets_nobody_in(realm: Realm) -> None:
    """Well signed, and all the same not for us, not now, not in answer, or not of this house."""
    for bent in BENT:
        refused(lambda browser, bent=bent: encoded(answer(browser, **bent).tree()), str(bent))


def refused(made: Any, what: str) -> None:
    """What was made lets nobody in, and its page says nothing of it."""
    browser = Client()
    before = User.objects.count(), Membership.objects.count()
    came = posted(browser, made(browser))
    assert came.status_code == 403, what
    page = came.content.decode()
    assert "You are not signed in" in page
    assert "nora" not in page
    assert (User.objects.count(), Membership.objects.count()) == before
    assert browser.get("/")["Location"].startswith("/accounts/login/")


def test_an_answer_is_for_the_browser_that_asked_and_once(realm: Realm, client: Client) -> None:
    """Replayed, brought by another browser, or unasked for: refused."""
    said = encoded(answer(client).tree())
    other = Client()
    asked_by(other)
    assert posted(other, said).status_code == 403
    came = Client().post("/accounts/saml/riverside/acs/", {"SAMLResponse": said})
    assert client.get(came["Location"])["Location"] == "/"
    assert client.get(came["Location"]).status_code == 403
    assert posted(client, said).status_code == 403
    assert (
        posted(Client(), encoded(Answer(request="_never", attributes=NORA).tree())).status_code
        == 403
    )
    stolen = answer(other)
    stolen.confirms = asked_by(Client())[0]
    assert posted(other, encoded(stolen.tree())).status_code == 403


def test_another_organizations_provider_speaks_for_its_own_only(
    realm: Realm, region: Region
) -> None:
    """Hilltop's, with the domain and the keys of Hilltop, at either address."""
    boss = make_person("Bea Lang", region.hilltop, Role.ADMINISTRATOR).actor
    opened(boss, "hilltop", "hilltop.example")
    browser = Client()
    made = Answer(request=asked_by(browser)[0], provider="hilltop", attributes=NORA)
    assert posted(browser, encoded(made.tree())).status_code == 403
    made = Answer(
        request=asked_by(browser, "hilltop")[0], code="hilltop", provider="hilltop",
        attributes=NORA,
    )  # fmt: skip
    assert posted(browser, encoded(made.tree()), "hilltop").status_code == 403
    mine = NORA | {"mail": ["new@hilltop.example"]}
    made = Answer(
        request=asked_by(browser, "hilltop")[0], code="hilltop", provider="hilltop",
        attributes=mine,
    )  # fmt: skip
    waits = Client().post("/accounts/saml/hilltop/acs/", {"SAMLResponse": encoded(made.tree())})[
        "Location"
    ]
    assert browser.get(waits.replace("hilltop", "riverside")).status_code == 403
    assert browser.get(waits)["Location"] == "/"


def test_both_keys_sign_while_a_provider_changes_them(region: Region) -> None:
    """A house that rotates names the next key in its metadata first."""
    opened(region.admin.actor, "riverside", "riverside.example", "riverside", "next")
    for key in ("riverside", "next"):
        assert comes_in(Client(), signed_by=key)["Location"] == "/"
    assert comes_in(Client(), signed_by="last").status_code == 403


def test_who_must_prove_it_anew_proves_it_there(realm: Realm, client: Client) -> None:
    """The request forces it, and an answer that tells of an old proof is none."""
    anew = "?auth_params=prompt%3Dlogin%26max_age%3D0&next=/people/"
    request, tree = asked_by(client, query=anew)
    assert tree.get("ForceAuthn") == "true"
    old = Answer(request=request, attributes=NORA, proved=timedelta(hours=1))
    assert posted(client, encoded(old.tree())).status_code == 403
    request, _ = asked_by(client, query=anew)
    assert (
        posted(client, encoded(Answer(request=request, attributes=NORA).tree()))["Location"]
        == "/people/"
    )
    assert asked_by(client)[1].get("ForceAuthn") is None


def test_roles_follow_the_groups_and_who_was_sent_away_stays_away(
    realm: Realm, region: Region
) -> None:
    """Ada keeps her account; deactivation is stronger than a directory."""
    ada = NORA | {"mail": ["ada@riverside.example"]}
    assert comes_in(Client(), attributes=ada, subject="ada-1")["Location"] == "/"
    post = Post.objects.get(user=region.ada.user)
    services.deactivate(post=post, by=region.admin.actor, at=NOW)
    assert comes_in(Client(), attributes=ada, subject="ada-1").status_code == 403


def test_where_it_is_not_installed_nothing_of_it_is_there(
    realm: Realm, region: Region, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No route, no page, no word at the door."""
    for path in ("login/", "metadata/"):
        assert client.get(f"/accounts/saml/riverside/{path}").status_code in {200, 302}
    sign_in(client, region.admin.user)
    assert "SAML" in client.get("/people/sign-in/").content.decode()
    monkeypatch.setattr(extras, "has_saml", lambda: False)
    for path in ("login/", "acs/finish/", "metadata/"):
        assert client.get(f"/accounts/saml/riverside/{path}").status_code == 404
    assert client.post("/accounts/saml/riverside/acs/").status_code == 404
    assert client.get("/people/sign-in/saml/").status_code == 404
    assert "/people/sign-in/saml/" not in client.get("/people/sign-in/").content.decode()
    assert services.realm_for("nora@riverside.example") is None
    with pytest.raises(Absent):
        services.set_saml(
            said=services.SamlSignIn("", "", "", "", {}, []), by=region.admin.actor, at=NOW
        )


def test_its_routes_are_there_for_those_who_sign_in_by_it(region: Region, client: Client) -> None:
    """Not for Hilltop, which has no sign-in of its own; the metadata names both addresses."""
    assert client.get("/accounts/saml/hilltop/metadata/").status_code == 404
    assert client.post("/accounts/saml/hilltop/acs/").status_code == 404
    opened(region.admin.actor, "riverside", "riverside.example")
    told = etree.fromstring(client.get("/accounts/saml/riverside/metadata/").content)
    place = "http://testserver/accounts/saml/riverside"
    assert told.get("entityID") == f"{place}/metadata/"
    (acs,) = told.iter("{urn:oasis:names:tc:SAML:2.0:metadata}AssertionConsumerService")
    assert acs.get("Location") == f"{place}/acs/"


def test_metadata_is_read_and_what_is_weak_or_none_is_refused() -> None:
    """One provider, an address, a strong key."""
    found = described(metadata("riverside", "riverside", "next"))
    assert found.entity_id == "https://sso.riverside.example.org/metadata"
    assert len(found.certificates) == 2
    good = metadata("riverside")
    for wrong in (
        "", "no XML", "<a/>", good.replace("IDPSSODescriptor", "SPSSODescriptor"),
        good.replace("HTTP-Redirect", "SOAP"), good + good,
        f"<x>{good}{good}</x>", good.replace("MII", "AAA"),
        '<!DOCTYPE a [<!ENTITY b "c">]>' + good,
    ):  # fmt: skip
        with pytest.raises(BadValue):
            described(wrong)


def test_an_administrator_pastes_the_metadata_and_may_do_it_by_command(
    region: Region, client: Client, tmp_path: Any
) -> None:
    """Nobody else; a private address is refused; blank keeps what is known."""
    sign_in(client, region.admin.user)
    typed = {
        "metadata": metadata("riverside"), "email_in": "mail", "name_in": "displayName",
        "groups_in": "groups", "mapping": "readers = radiologist", "domains": "riverside.example",
        "active": "on",
    }  # fmt: skip
    url = "/people/sign-in/saml/"
    assert client.post(url, typed | {"metadata": ""}).status_code == 422
    inside = typed["metadata"].replace("sso.riverside.example.org/saml", "10.0.0.1/saml")
    assert client.post(url, typed | {"metadata": inside}).status_code == 422
    page = client.post(url, typed, follow=True).content.decode()
    assert "https://sso.riverside.example.org/saml" in page
    assert "http://testserver/accounts/saml/riverside/acs/" in page
    assert client.post(url, typed | {"metadata": "", "name_in": ""}).status_code == 302
    assert "Setting this ends that." in client.get("/people/sign-in/").content.decode()
    kept = Realm.objects.get()
    assert (kept.protocol, kept.name_in, len(kept.certificates)) == ("saml", "", 1)
    file = tmp_path / "idp.xml"
    file.write_text(metadata("riverside", "next"))
    said = [
        f"metadata_file={file}",
        "email_in=mail",
        "roles=readers:clerk",
        "domains=riverside.example",
    ]
    call_command("setting", "saml", "riverside", by=region.admin.user.email, set=said)
    kept.refresh_from_db()
    assert kept.mapping == {"readers": "clerk"}
    with pytest.raises(NotAllowed):
        services.set_saml(said=NOTHING, by=region.ada.actor, at=NOW)


def test_a_fault_of_ours_is_found_in_the_log_and_what_was_sent_is_not(
    realm: Realm, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def reads(*given: object) -> None:
        raise KeyError("nora@riverside.example")

    monkeypatch.setattr("portal.saml._arrival", reads)
    assert comes_in(client).status_code == 403
    assert "KeyError in test_sign_in.py, line" in caplog.text
    assert "nora@riverside.example" not in caplog.text
