"""A connection is tried there and back by the real doors, and nothing of it stays."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sharing.archive.models import Study
from sharing.office import line, services
from sharing.office.errors import RunNotFound
from sharing.office.models import LinkTest
from sharing.office.rules import Check, Result, Verdict
from sharing.partners.models import Client as Machine
from sharing.tenants.errors import NotAllowed
from sharing.tenants.models import Organization
from tests.cast import Region
from tests.sessions import sign_in

pytestmark = pytest.mark.django_db


def in_process(
    method: str, path: str, *, headers: Mapping[str, str], body: bytes = b""
) -> line.Answer:
    """The same request, to the whole portal in this process instead of over a socket."""
    kind = headers.get("Content-Type", "application/octet-stream")
    answer: Any = Client(headers=dict(headers)).generic(method, path, body, kind)
    whole = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return line.Answer(answer.status_code, dict(answer.headers), whole)


@pytest.fixture(autouse=True)
def _line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "ask", in_process)


def tried(region: Region) -> dict[Check, Result]:
    """Ines lets Riverside's connection be tested now."""
    at = timezone.now()
    test = services.ask_test(by=region.admin.actor, at=at)
    done = services.run_test(test_id=test.pk, at=at)
    return {result.check: result for result in done.told}


def test_a_study_of_nobody_goes_there_and_back_and_is_gone(region: Region) -> None:
    """All that can be tried passes; neither study nor token stays."""
    results = tried(region)
    failed = {check: r.said for check, r in results.items() if r.verdict == Verdict.FAILED}
    assert failed == {}
    assert {c for c, r in results.items() if r.verdict == Verdict.SKIPPED} == {
        Check.WEBHOOK, Check.ECHO,
    }  # fmt: skip
    for check in (Check.WEBHOOK, Check.ECHO):  # nobody fails for what they don't use
        assert results[check].said == "Not set up."
        assert results[check].todo
    assert LinkTest.objects.get().passed
    assert not Study.objects.exists()
    assert not Machine.objects.filter(ended_at=None).exists()


@pytest.mark.parametrize(("state", "after"), [("signed", "tested"), ("active", "active")])
def test_what_passed_lets_an_organization_go_on(region: Region, state: str, after: str) -> None:
    """While it prepares, too: its own line is open to its own machine."""
    Organization.objects.filter(pk=region.riverside.pk).update(state=state)
    assert all(r.verdict != Verdict.FAILED for r in tried(region).values())
    region.riverside.refresh_from_db()
    assert region.riverside.state == after


def test_what_fails_says_what_to_do_and_lets_nobody_on(
    region: Region, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No room: the sending is refused with its reason, the rest is not tried."""
    Organization.objects.filter(pk=region.riverside.pk).update(state="signed", quota_bytes=1)
    results = tried(region)
    assert results[Check.STORE].verdict == Verdict.FAILED
    assert "507" in results[Check.STORE].said
    assert results[Check.STORE].todo
    assert results[Check.FIND].verdict == Verdict.SKIPPED
    region.riverside.refresh_from_db()
    assert region.riverside.state == "signed"
    assert not LinkTest.objects.get().passed


def test_a_portal_that_does_not_answer_is_a_result(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no crash; the token ends all the same."""

    def dead(*args: Any, **more: Any) -> line.Answer:
        raise ConnectionRefusedError

    monkeypatch.setattr(line, "ask", dead)
    assert tried(region)[Check.TOKEN].verdict == Verdict.FAILED
    assert not Machine.objects.filter(ended_at=None).exists()


@pytest.mark.parametrize("check", [Check.CHARSET, Check.ISSUER, Check.RETRIEVE])
def test_what_comes_back_otherwise_is_noticed(
    region: Region, monkeypatch: pytest.MonkeyPatch, check: Check
) -> None:
    """Another name, another issuer, other pixels."""
    wrong = {
        Check.CHARSET: ("连接", "??"),
        Check.ISSUER: (region.riverside.patient_id_issuer, "9.9"),
        Check.RETRIEVE: ("\x00\x04\x08\x0c", "\x00\x04\x08\x0d"),
    }[check]

    def bent(*args: Any, **more: Any) -> line.Answer:
        answer = in_process(*args, **more)
        body = answer.body.replace(wrong[0].encode(), wrong[1].encode())
        return line.Answer(answer.status, answer.headers, body)

    monkeypatch.setattr(line, "ask", bent)
    results = tried(region)
    assert results[check].verdict == Verdict.FAILED
    assert not LinkTest.objects.get().passed


def test_it_is_repeated_at_night_for_those_that_were_ever_tested(
    region: Region, run_jobs: Callable[..., int]
) -> None:
    """The portal asks, and its log says so."""
    assert services.ask_nightly(at=timezone.now()) == 0
    tried(region)
    assert services.ask_nightly(at=timezone.now()) == 1
    run_jobs()
    newest = LinkTest.objects.latest("pk")
    assert (newest.nightly, newest.passed, newest.asked_by) == (True, True, "The portal")


def test_only_the_own_administrator_tests_and_reads(region: Region) -> None:
    """Another's test is not there."""
    test = services.ask_test(by=region.admin.actor, at=timezone.now())
    assert services.ask_test(by=region.admin.actor, at=timezone.now()) == test
    for person in (region.ada, region.ben):
        with pytest.raises(NotAllowed):
            services.ask_test(by=person.actor, at=timezone.now())
    LinkTest.objects.update(organization=region.hilltop)
    with pytest.raises(RunNotFound):
        services.link_test(region.admin.actor, public_id=test.public_id)


def test_the_desk_shows_each_result_and_gives_a_report(client: Client, region: Region) -> None:
    """Pressing the button owes a test; its page says what is tried, and the report is a PDF."""
    sign_in(client, region.admin.user)
    answer = client.post("/organization/connection/")
    test = LinkTest.objects.get()
    assert answer["Location"] == f"/organization/connection/{test.public_id}/"
    assert "is running" in client.get(answer["Location"]).content.decode()
    services.run_test(test_id=test.pk, at=timezone.now())
    page = client.get(answer["Location"]).content.decode()
    assert "Fetch it again (WADO)" in page
    assert "same pixels" in page
    report = client.get(f"{answer['Location']}report.pdf")
    assert report["Content-Type"] == "application/pdf"
    assert report.content.startswith(b"%PDF-")
    assert client.get("/organization/connection/").status_code == 200
    sign_in(client, region.ada.user)
    assert client.get(f"{answer['Location']}report.pdf").status_code == 404
