"""A login by OAuth: people by their browser, machines by a secret or a key, kept and renewed."""

import io
import json
import stat
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from imaging_sharing import Client, Machine, PortalError, Refused, browsing, kept, sign_in
from imaging_sharing.cli import main

from tests.clients.conftest import Partner, RitaBrowser

Said = pytest.CaptureFixture[str]


def test_a_person_signs_in_by_browser_and_stays_signed_in(
    partner: Partner, own_home: Path, rita: RitaBrowser, capsys: Said
) -> None:
    assert main(["login", partner.url, "--client", partner.app, "--scope", "studies.read"]) == 0
    assert "Rita Sand of Sandbox Test Systems" in capsys.readouterr().out
    assert stat.S_IMODE(own_home.stat().st_mode) == 0o600
    first = json.loads(own_home.read_text())
    assert main(["studies", "-q", "example"]) == 0
    assert "Chest, one view" in capsys.readouterr().out
    assert json.loads(own_home.read_text()) == first  # its token is good for five minutes
    own_home.write_text(json.dumps(first | {"ends": time.time()}))
    own_home.chmod(0o600)
    assert main(["studies", "-q", "example"]) == 0
    second = json.loads(own_home.read_text())
    assert (second["token"], second["refresh"]) != (first["token"], first["refresh"])
    assert stat.S_IMODE(own_home.stat().st_mode) == 0o600
    assert main(["upload", str(partner.folder / "1.dcm")]) == 1  # it asked for less
    assert "403" in capsys.readouterr().err


def test_another_command_s_new_token_is_used_and_not_renewed_again(
    partner: Partner, own_home: Path, rita: RitaBrowser
) -> None:
    """A second use of a refresh token would end the sign-in."""
    assert main(["login", partner.url, "--client", partner.app]) == 0
    told = json.loads(own_home.read_text())
    ended = told | {"ends": 0.0}
    own_home.write_text(json.dumps(ended))
    one, other = kept.tokens_of(ended), kept.tokens_of(ended)
    for tokens in (one, other, one):
        with Client(partner.url, tokens) as portal:
            assert portal.me().name == "Rita Sand"
    assert one.token == other.token == json.loads(own_home.read_text())["token"]  # type: ignore[union-attr]


def test_who_says_no_or_nobody_is_not_signed_in(
    partner: Partner, own_home: Path, rita: RitaBrowser, monkeypatch: pytest.MonkeyPatch,
    capsys: Said,
) -> None:  # fmt: skip
    rita.answer = "refuse"
    assert main(["login", partner.url, "--client", partner.app]) == 1
    assert "not allowed" in capsys.readouterr().err
    with pytest.raises(PortalError, match="Nobody"):
        sign_in(partner.url, partner.app, scopes="", opened=len, waits=0.1)
    assert main(["login", partner.url, "--key", str(partner.key)]) == 1  # which client?
    assert not own_home.exists()


def test_an_answer_of_another_portal_is_no_answer(partner: Partner, rita: RitaBrowser) -> None:
    with pytest.raises(PortalError, match="not from this portal"):
        browsing._code({"code": "x", "iss": "https://elsewhere.example"}, partner.url)
    with pytest.raises(PortalError, match="not from this portal"):
        browsing._code({"code": "x"}, partner.url)


def test_a_machine_signs_in_by_its_secret_and_by_its_key(
    partner: Partner, own_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("wrong\n"))
    assert main(["login", partner.url, "--client", partner.machine, "--machine"]) == 1
    assert not own_home.exists()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{partner.secret}\n"))
    assert main(["login", partner.url, "--client", partner.machine, "--machine"]) == 0
    assert "You are RIS" in capsys.readouterr().out
    assert main(["studies", "-q", "example"]) == 0
    assert json.loads(own_home.read_text())["token"]
    key = ["--key", str(partner.key)]
    assert main(["login", partner.url, "--client", partner.signer, *key]) == 0
    assert "You are PACS" in capsys.readouterr().out
    private = json.loads(partner.key.read_text())["d"]
    assert private not in own_home.read_text()  # the key stays where it is
    assert main(["login", partner.url, "--client", partner.machine, *key]) == 1


def test_a_token_that_is_not_taken_any_more_is_renewed_once(partner: Partner) -> None:
    tokens = Machine(partner.url, partner.machine, secret=partner.secret, scopes="studies.read")
    asked: list[str] = []

    def seen(request: httpx.Request) -> None:
        asked.append(request.url.path)

    with Client(partner.url, tokens, event_hooks={"request": [seen]}) as portal:
        portal.me()
        revoked = {"token": tokens.token, "client_id": tokens.client}
        secret = {"client_secret": partner.secret}
        assert httpx.post(f"{partner.url}/oauth/revoke", data=revoked | secret).status_code == 200
        assert portal.me().name == "RIS"
        used = tokens.token
        portal.me()
    assert tokens.token == used
    wrong = Machine(partner.url, partner.machine, secret="wrong")
    with Client(partner.url, wrong) as portal, pytest.raises(Refused) as refused:
        portal.me()
    assert (refused.value.status, refused.value.code) == (401, "invalid_client")


@pytest.mark.parametrize("told", [{"kty": "oct", "k": "eA"}, {"kty": "EC"}, {}, "no key.json"])
def test_only_a_private_key_with_its_name_is_taken(told: Any) -> None:
    with pytest.raises(PortalError):
        Machine("https://portal.example", "x", key=told)
