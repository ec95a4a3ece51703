"""SMART backend services: a machine signs who it is. What is not exactly right is refused."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from joserfc.jwk import ECKey, OctKey, RSAKey

from sharing.audit.models import Event
from sharing.kernel import outgoing
from sharing.partners.errors import ClientInvalid
from sharing.partners.models import AccessToken, UsedAssertion
from sharing.partners.services import change_keys, end_client
from tests.cast import NOW, Region

from .conftest import AUD, Machine, signed

Machines = Callable[..., Machine]


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    cache.clear()


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_a_signed_assertion_is_swapped_for_a_token_of_five_minutes(
    machine: Machines, algorithm: str
) -> None:
    one = machine(algorithm)
    answer = one.ask(one.assertion())
    told = answer.json()
    assert answer.status_code == 200, told
    assert (told["token_type"], told["expires_in"]) == ("Bearer", 300)
    assert told["scope"] == "system/ImagingStudy.rs"
    assert answer["Cache-Control"] == "no-store"
    held = {"Authorization": f"Bearer {told['access_token']}"}
    assert one.browser.get("/dicomweb/studies", headers=held).status_code in (200, 204)
    assert one.browser.get("/api/v1/me/", headers=held).json()["id"] == one.made.client.client_id
    assert one.browser.post("/dicomweb/studies", headers=held).status_code == 403
    issued = Event.objects.get(action="token.issue")
    assert (issued.actor_kind, issued.actor_id) == ("client", one.made.client.client_id)


def test_neither_token_nor_assertion_is_kept(machine: Machines) -> None:
    one = machine()
    secret = one.ask(one.assertion(jti="only-once")).json()["access_token"]
    for row in (AccessToken.objects.get(), UsedAssertion.objects.get()):
        assert all(text not in str(vars(row)) for text in (secret, "only-once"))


Spoilt = Callable[[Machine, Any, Any], str]
now = time.time
BAD: dict[str, Spoilt] = {
    "HS256 with the public key": lambda m, rsa, ec: signed(
        {"alg": "HS256", "kid": m.key.kid},
        {"iss": m.made.client.client_id},
        OctKey.import_key(json.dumps(m.key.as_dict(private=False))),
    ),
    "alg none": lambda m, rsa, ec: unsigned(m.assertion(), {"alg": "none", "kid": m.key.kid}),
    "alg none, signature kept": lambda m, rsa, ec: unsigned(
        m.assertion(), {"alg": "none", "kid": m.key.kid}, keep=True
    ),
    "RS256": lambda m, rsa, ec: signed({"alg": "RS256", "kid": m.key.kid}, good(m), rsa),
    "wrong aud": lambda m, rsa, ec: m.assertion(aud="https://elsewhere.example.org/token"),
    "aud of two": lambda m, rsa, ec: m.assertion(aud=[AUD, "https://elsewhere.example.org"]),
    "no aud": lambda m, rsa, ec: m.assertion(aud=None),
    "expired": lambda m, rsa, ec: m.assertion(exp=int(now()) - 1),
    "too long": lambda m, rsa, ec: m.assertion(exp=int(now()) + 3600),
    "no exp": lambda m, rsa, ec: m.assertion(exp=None),
    "exp as words": lambda m, rsa, ec: m.assertion(exp="9999999999"),
    "not yet": lambda m, rsa, ec: m.assertion(nbf=int(now()) + 600),
    "of the future": lambda m, rsa, ec: m.assertion(iat=int(now()) + 600),
    "unknown kid": lambda m, rsa, ec: m.assertion({"kid": "nobody's"}),
    "no kid": lambda m, rsa, ec: signed({"alg": "ES384"}, good(m), ec),
    "foreign key": lambda m, rsa, ec: signed(
        {"alg": "ES384", "kid": m.key.kid},
        good(m),
        ECKey.generate_key("P-384", private=True),
    ),
    "own key in the header": lambda m, rsa, ec: m.assertion(
        {"jwk": ECKey.generate_key("P-384").as_dict(private=False)}
    ),
    "keys of elsewhere": lambda m, rsa, ec: m.assertion({"jku": "https://elsewhere.example.org/"}),
    "another subject": lambda m, rsa, ec: m.assertion(sub="somebody"),
    "another issuer": lambda m, rsa, ec: m.assertion(iss="somebody"),
    "no jti": lambda m, rsa, ec: m.assertion(jti=None),
    "changed after signing": lambda m, rsa, ec: changed(m.assertion()),
    "no assertion": lambda m, rsa, ec: "",
    "rubbish": lambda m, rsa, ec: "a.b.c",
}


def good(machine: Machine) -> dict[str, Any]:
    """The claims of a good assertion."""
    return json.loads(_decoded(machine.assertion().split(".")[1]))


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().strip("=")


def unsigned(assertion: str, header: dict[str, Any], *, keep: bool = False) -> str:
    """The same with another header and without its signature."""
    _, claims, signature = assertion.split(".")
    return f"{_encoded(header)}.{claims}.{signature if keep else ''}"


def changed(assertion: str) -> str:
    """The same, but good for longer."""
    header, claims, signature = assertion.split(".")
    later = json.loads(_decoded(claims)) | {"exp": int(now()) + 290}
    return f"{header}.{_encoded(later)}.{signature}"


@pytest.mark.parametrize("case", sorted(BAD))
def test_an_assertion_that_is_not_right_opens_nothing(
    machine: Machines, rsa: RSAKey, ec: ECKey, case: str
) -> None:
    """One answer for all; which rule was broken is told to nobody."""
    one = machine()
    answer = one.ask(BAD[case](one, rsa, ec))
    assert (answer.status_code, answer.json()["error"]) in (
        (401, "invalid_client"),
        (400, "invalid_client"),
    )
    assert not AccessToken.objects.exists()
    assert one.ask(one.assertion()).status_code == 200


def test_an_assertion_is_used_once(machine: Machines) -> None:
    one, other = machine(), machine(name="RIS")
    assertion = one.assertion(jti="the same")
    assert one.ask(assertion).status_code == 200
    assert one.ask(assertion).status_code == 401
    assert one.ask(one.assertion(jti="the same")).status_code == 401
    assert other.ask(other.assertion(jti="the same")).status_code == 200


def test_no_way_in_beside_the_signature(machine: Machines) -> None:
    one = machine()
    assert one.ask(one.assertion(), client_assertion_type="other").status_code == 401
    assert one.ask(one.assertion(), client_id="somebody").status_code == 401
    assert one.ask("", client_id=one.made.client.client_id, client_secret="").status_code == 401


@pytest.mark.parametrize(
    "scope",
    [
        "system/Patient.rs",
        "user/ImagingStudy.rs",
        "system/*.cruds",
        "system/ImagingStudy.rs?x=1",
        "patient/ImagingStudy.rs",
        "openid",
    ],
)
def test_only_what_the_administrator_gave_is_given(machine: Machines, scope: str) -> None:
    one = machine()
    answer = one.ask(one.assertion(), scope=scope)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
    assert one.ask(one.assertion(), scope="system/ImagingStudy.r").status_code == 200


def test_an_ended_client_s_tokens_and_signatures_are_over_at_once(
    machine: Machines, region: Region
) -> None:
    one = machine()
    held = {"Authorization": f"Bearer {one.ask(one.assertion()).json()['access_token']}"}
    assert one.browser.get("/api/v1/me/", headers=held).status_code == 200
    end_client(client_id=one.made.client.client_id, by=region.admin.actor, at=NOW)
    assert one.browser.get("/api/v1/me/", headers=held).status_code == 401
    assert one.ask(one.assertion()).status_code == 401


def test_keys_are_fetched_where_the_client_publishes_them(
    machine: Machines, region: Region, ec: ECKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for many tokens; a key that is not known is looked for once a minute."""
    asked: list[str] = []
    published = {"keys": [ec.as_dict(private=False)]}

    def request(method: str, url: str, **kwargs: Any) -> outgoing.Answer:
        asked.append(url)
        return outgoing.Answer(200, {}, json.dumps(published).encode())

    monkeypatch.setattr(outgoing, "request", request)
    one = machine(jwks_url="https://pacs.example.org/jwks.json")
    for _ in range(3):
        assert one.ask(one.assertion()).status_code == 200
    assert asked == ["https://pacs.example.org/jwks.json"]
    for number in range(3):
        assert one.ask(one.assertion({"kid": f"forged {number}"})).status_code == 401
    assert len(asked) == 1
    change_keys(
        client_id=one.made.client.client_id,
        jwks=None,
        jwks_url="https://pacs.example.org/new.json",
        by=region.admin.actor,
        at=NOW,
    )


@pytest.mark.parametrize(
    "wish",
    [
        {"jwks": {"keys": []}},
        {"jwks": {}},
        {"jwks": "keys"},
        {"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "1"}]}},
        {"jwks_url": "https://127.0.0.1/jwks"},
        {"jwks_url": "http://pacs.example.org/jwks"},
        {"jwks": {"keys": []}, "jwks_url": "https://pacs.example.org/"},
        {"scopes": ()},
        {"scopes": ("everything",)},
        {"scopes": ("user/Patient.rs",)},
        {"name": "  "},
        {"redirects": ("https://app.example.org/",)},
    ],
)
def test_a_machine_is_made_whole_or_not_at_all(machine: Machines, wish: dict[str, Any]) -> None:
    with pytest.raises(ClientInvalid):
        machine(**wish)
