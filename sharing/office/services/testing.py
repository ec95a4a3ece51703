"""An organization's connection is tried as a partner would: a study of nobody there and back.

It takes a token of its own, which ends with the test, and the study is deleted at the end.
"""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from sharing.archive.errors import OnHold
from sharing.archive.models import Study
from sharing.archive.rules import Why
from sharing.archive.services.removing import delete_study
from sharing.audit.rules import SYSTEM, What, Who
from sharing.audit.services import record
from sharing.dicom.phantom import NAME, Phantom, phantom
from sharing.kernel.errors import AddressRefused, NotReached
from sharing.kernel.lifecycle import NotNow
from sharing.notify.delivering import try_all as try_webhooks
from sharing.office import line
from sharing.office.echo import echo
from sharing.office.errors import RunNotFound
from sharing.office.models import LinkTest
from sharing.office.rules import NOT_SET_UP, TODO, Check, Result, Verdict, passed
from sharing.outbox.services import promise
from sharing.partners.services import actor_for_token, issue_token, revoke_token
from sharing.tenants.models import Organization
from sharing.tenants.rules import ENTERED, Actor, OrganizationState
from sharing.tenants.services import (
    connection_tested,
    devices,
    organization_to_run,
)

SCOPES = ("dicomweb.read", "dicomweb.write", "studies.read", "studies.delete")
IDENTIFIER = "CONNECTION-TEST"
APART = timedelta(seconds=60)
"""How far two clocks may be apart."""
AT_ONCE = 8
_BOUNDARY = "line-test"
JSON = "application/dicom+json"


class Failed(Exception):
    """A check's own words for what went wrong."""


@dataclass
class Trial:
    """What the checks share."""

    organization: Organization
    secret: str
    phantom: Phantom
    at: datetime
    stored: bool = False

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> line.Answer:
        """By the token of this test."""
        head = {"Authorization": f"Bearer {self.secret}"}
        head |= {name.replace("_", "-"): value for name, value in headers.items()}
        return line.ask(method, path, headers=head, body=body)

    @property
    def root(self) -> str:
        """The organization's own mount."""
        return f"/dicomweb/o/{self.organization.code}"


def _link_tests(organization_id: int) -> QuerySet[LinkTest]:
    """Newest first."""
    return LinkTest.objects.filter(organization_id=organization_id).order_by("-pk")


def link_test(actor: Actor, *, public_id: str) -> LinkTest:
    """One of the own organization. Raises NotAllowed, RunNotFound."""
    own = organization_to_run(actor)
    found = _link_tests(own.pk).filter(public_id=public_id).first()
    if found is None:
        raise RunNotFound()
    return found


@transaction.atomic
def ask_test(*, by: Actor, at: datetime) -> LinkTest:
    """Owe a test of the own connection, or find the one that is owed. Raises NotAllowed."""
    own = organization_to_run(by)
    return _owe(own, by.who, at, nightly=False)


def _owe(own: Organization, who: Who, at: datetime, *, nightly: bool) -> LinkTest:
    waiting = _link_tests(own.pk).filter(ended_at=None, asked_at__gt=at - timedelta(minutes=5))
    found = waiting.first()
    if found is not None:
        return found
    made = LinkTest.objects.create(
        organization=own, asked_by=who.name, asked_by_id=who.id, nightly=nightly, asked_at=at
    )
    promise("office.test_link", at=at, test_id=made.pk)
    return made


@transaction.atomic
def ask_nightly(*, at: datetime) -> int:
    """Owe a test of each active organization that was ever tested; how many."""
    tested = LinkTest.objects.values("organization_id")
    found = Organization.objects.filter(state=OrganizationState.ACTIVE, pk__in=tested)
    return len([_owe(own, SYSTEM, at, nightly=True) for own in found.order_by("pk")])


def run_test(*, test_id: int, at: datetime) -> LinkTest:
    """Carry a test out, once; what it passed lets an organization that prepares go on."""
    test = LinkTest.objects.select_related("organization").get(pk=test_id)
    if test.ended_at is not None:
        return test
    results = list(_results(test.organization, at))
    with transaction.atomic():
        test.results = [_by_value(result) for result in results]
        test.passed, test.ended_at = passed(results), timezone.now()
        test.save(update_fields=["results", "passed", "ended_at"])
        who = _asker(test)
        detail = {"passed": test.passed, "test": test.public_id}
        what = What(custodian=test.organization.code, detail=detail)
        record(who=who, action="organization.test_link", at=at, what=what)
        if test.passed:
            _go_on(test, who, at)
    return test


def _asker(test: LinkTest) -> Who:
    """Who asked for it; the portal itself at night."""
    if not test.asked_by_id:
        return SYSTEM
    code, name = test.organization.code, test.organization.name
    return Who("user", test.asked_by_id, test.asked_by, code, name)


def _go_on(test: LinkTest, who: Who, at: datetime) -> None:
    try:
        connection_tested(organization_id=test.organization_id, test=test.public_id, by=who, at=at)
    except NotNow:
        return  # it is active already, or its terms aren't signed


def _by_value(result: Result) -> dict[str, Any]:
    return {
        "check": result.check,
        "verdict": result.verdict,
        "said": result.said,
        "todo": result.todo,
        "ms": result.milliseconds,
    }


def _results(organization: Organization, at: datetime) -> Iterator[Result]:
    """All checks in their order; after a failed sending there is nothing to find."""
    if organization.state not in ENTERED:
        yield Result(
            Check.TOKEN, Verdict.FAILED, "The organization is not active.", TODO[Check.TOKEN]
        )
        return
    secret = issue_token(
        organization=organization, name="Connection test", scopes=SCOPES, at=at,
        expires_at=at + timedelta(minutes=10),
    )  # fmt: skip
    image = phantom(
        root=organization.uid_root, identifier=IDENTIFIER, issuer=organization.patient_id_issuer,
        at=at,
    )  # fmt: skip
    trial = Trial(organization, secret, image, at)
    try:
        for check, tried in CHECKS:
            if check in _NEEDS_STORED and not trial.stored:
                yield Result(check, Verdict.SKIPPED, "Not tried: nothing was stored.")
            else:
                yield _tried(check, tried, trial)
    finally:
        _end_token(organization, secret, at)
    yield from _webhooks(organization, timezone.now())
    yield from _echoes(organization)


def _webhooks(organization: Organization, at: datetime) -> Iterator[Result]:
    """A signed test to each, by the sender of all deliveries."""
    tried = try_webhooks(organization_id=organization.pk, at=at)
    if not tried:
        yield Result(Check.WEBHOOK, Verdict.SKIPPED, "Not set up.", NOT_SET_UP[Check.WEBHOOK])
    for hook, status, failure in tried:
        where = urlsplit(hook.url).hostname or ""
        if failure:
            said = _untaken(where, status, failure)
            yield Result(Check.WEBHOOK, Verdict.FAILED, said, TODO[Check.WEBHOOK])
        else:
            yield Result(Check.WEBHOOK, Verdict.PASSED, f"{where} took a signed test.")


def _untaken(where: str, status: int | None, failure: str) -> str:
    if failure == NotReached.code:
        return f"{where} did not answer."
    if failure == AddressRefused.code:
        return f"{where}: the portal asks nothing of this address."
    return f"{where} answered with an error (HTTP {status})."


def _echoes(organization: Organization) -> Iterator[Result]:
    """Each system that has an address, several at once."""
    asked = [device for device in devices(organization) if device.host]
    if not asked:
        yield Result(Check.ECHO, Verdict.SKIPPED, "Not set up.", NOT_SET_UP[Check.ECHO])
        return
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for heard in pool.map(echo, asked):
            verdict = Verdict.PASSED if heard.answered else Verdict.FAILED
            yield Result(Check.ECHO, verdict, heard.said, heard.todo)


def _tried(check: Check, tried: Callable[[Trial], str], trial: Trial) -> Result:
    begun = time.monotonic()
    try:
        said, verdict = tried(trial), Verdict.PASSED
    except Failed as why:
        said, verdict = str(why), Verdict.FAILED
    except (OSError, HTTPException):
        said = "The portal’s public address did not answer."
        verdict = Verdict.FAILED
    took = round((time.monotonic() - begun) * 1000)
    todo = TODO[check] if verdict == Verdict.FAILED else ""
    return Result(check, verdict, said, todo, took)


def _token(trial: Trial) -> str:
    answer = trial.ask("GET", "/api/v1/studies/", Accept="application/json")
    _want(answer, 200, "The token was refused")
    return "A token of your organization is accepted."


def _clock(trial: Trial) -> str:
    answer = trial.ask("GET", "/api/v1/studies/", Accept="application/json")
    said = answer.headers.get("Date") or answer.headers.get("date")
    if said and abs(parsedate_to_datetime(said) - timezone.now()) > APART:
        raise Failed("The clock before the portal differs from the portal’s by over a minute.")
    ahead = Study.objects.filter(
        organization=trial.organization, received_at__gt=trial.at - timedelta(days=30),
        study_date__gt=F("received_at__date"),
    )  # fmt: skip
    if ahead.exists():
        raise Failed("Studies of the last 30 days are dated after the day on which they came.")
    return "No study of the last 30 days is dated after it came."


def _store(trial: Trial) -> str:
    head = f"--{_BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    body = head + trial.phantom.file + f"\r\n--{_BOUNDARY}--\r\n".encode()
    kind = f'multipart/related; type="application/dicom"; boundary={_BOUNDARY}'
    answer = trial.ask("POST", f"{trial.root}/studies", body, Content_Type=kind, Accept=JSON)
    _want(answer, 200, "The study was refused")
    trial.stored = True
    return f"A study of one image was stored: {len(trial.phantom.file):,} bytes."


def _found(trial: Trial) -> dict[str, Any]:
    query = f"StudyInstanceUID={trial.phantom.study_uid}&includefield=00100021"
    answer = trial.ask("GET", f"{trial.root}/studies?{query}", Accept=JSON)
    _want(answer, 200, "The search was refused")
    rows = json.loads(answer.body)
    if len(rows) != 1:
        raise Failed("The stored study was not found.")
    row: dict[str, Any] = rows[0]
    return row


def _find(trial: Trial) -> str:
    _found(trial)
    return "The stored study was found by its UID."


def _charset(trial: Trial) -> str:
    said = _found(trial).get("00100010", {}).get("Value", [{}])[0]
    latin, native = NAME.split("=")
    if (said.get("Alphabetic"), said.get("Ideographic")) != (latin, native):
        raise Failed("The name came back with other characters.")
    return "A name in Latin letters and in Chinese came back as it was sent."


def _issuer(trial: Trial) -> str:
    said = _found(trial).get("00100021", {}).get("Value", [""])[0]
    if said != trial.organization.patient_id_issuer:
        raise Failed("The patient number came back with another issuer.")
    return "The patient number came back with your issuer."


def _retrieve(trial: Trial) -> str:
    image = trial.phantom
    path = f"{trial.root}/studies/{image.study_uid}/series/{image.series_uid}"
    wanted = 'multipart/related; type="application/dicom"; transfer-syntax=*'
    answer = trial.ask("GET", f"{path}/instances/{image.sop_uid}", Accept=wanted)
    _want(answer, 200, "The image was refused")
    if image.pixels not in answer.body:
        raise Failed("The image came back with other pixels.")
    return "The image came back with the same pixels."


def _clean(trial: Trial) -> str:
    machine = actor_for_token(trial.secret, at=trial.at)
    study = Study.objects.filter(
        organization=trial.organization, study_uid=trial.phantom.study_uid
    ).first()
    if study is None:
        raise Failed("The test study is not there any more.")
    try:
        delete_study(
            machine, public_id=study.public_id, why=Why.OTHER, words="Connection test", at=trial.at
        )
    except OnHold:
        raise Failed("The test study is on legal hold and stays.") from None
    return "The test study is deleted."


CHECKS: tuple[tuple[Check, Callable[[Trial], str]], ...] = (
    (Check.TOKEN, _token),
    (Check.CLOCK, _clock),
    (Check.STORE, _store),
    (Check.FIND, _find),
    (Check.CHARSET, _charset),
    (Check.ISSUER, _issuer),
    (Check.RETRIEVE, _retrieve),
    (Check.CLEAN, _clean),
)
_NEEDS_STORED = frozenset({Check.FIND, Check.CHARSET, Check.ISSUER, Check.RETRIEVE, Check.CLEAN})


def _want(answer: line.Answer, status: int, sentence: str) -> None:
    if answer.status != status:
        raise Failed(f"{sentence}, with HTTP status {answer.status}.")


def _end_token(organization: Organization, secret: str, at: datetime) -> None:
    revoke_token(secret=secret, by=SYSTEM, at=at)
