"""Two at once: whoever comes first, what is left fits one after the other (A10).

Each round starts its verbs at the same moment, on connections of their own. Eight rounds;
`make soak` sets ROUNDS to a thousand.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from sharing.access.models import AccessRequest, Grant, Share
from sharing.access.services import (
    approve_request,
    ask_access,
    decide_one,
    refuse_request,
    revoke_share,
    share,
    withdraw_request,
)
from sharing.archive.models import Study
from sharing.consent.models import Consent
from sharing.exchange.services import (
    AlbumWanted,
    add_member,
    add_studies,
    close_album,
    make_album,
    take_out,
)
from sharing.kernel.errors import DomainError
from sharing.kernel.purposes import Action, Purpose
from tests.cast import Person, Region, make_patient, make_study

ROUNDS = int(os.environ.get("ROUNDS", "8"))
SHARING_ON = frozenset(Action.RESHARE.ladder)
LOOKING = tuple(Action.IMAGES.ladder)
Verb = Callable[[], Any]


@dataclass
class Case:
    """A patient of the round's own, with a consent by which Riverside names who may see."""

    region: Region
    study: Study
    consent: Consent
    at: datetime

    def sees(self, person: Person, at: datetime | None = None) -> bool:
        """As a request would find it: decision and list."""
        at, actor = at or timezone.now(), person.actor
        listed = Study.objects.visible_to(actor, at, Action.IMAGES).filter(pk=self.study.pk)
        found = listed.exists()
        return decide_one(actor, Action.IMAGES, self.study.subject, at=at).allowed and found

    def share(self, by: Person, to: Person, *actions: Action) -> Share:
        """With the whole organization, until tomorrow."""
        return share(
            subjects=[self.study.subject], to=to.organization, purpose=Purpose.TREATMENT,
            until=self.at + timedelta(days=1), note="", by=by.actor, at=timezone.now(),
            actions=actions or LOOKING,
        )  # fmt: skip

    def ask(self) -> AccessRequest:
        """Ben asks Riverside for the patient's studies."""
        AccessRequest.objects.all().delete()  # so many a day
        return ask_access(
            custodian=self.region.riverside, identifier=self.study.patient.identifier,
            birth_date=self.study.patient.birth_date, reason="Second opinion.",
            by=self.region.ben.actor, at=timezone.now(),
        )  # fmt: skip

    def approve(self, asked: AccessRequest) -> None:
        """Ada answers yes."""
        approve_request(
            public_id=asked.public_id, subjects=[self.study.subject],
            until=self.at + timedelta(days=1), by=self.region.ada.actor, at=timezone.now(),
        )  # fmt: skip

    def revoke(self) -> None:
        """The patient withdraws."""
        self.region.revoke(self.consent, at=timezone.now())


@pytest.fixture
def cases(committing: None, region: Region) -> Iterator[Case]:
    """One after the other, as many as there are rounds."""
    return _cases(region)


def _cases(region: Region) -> Iterator[Case]:
    for number in range(ROUNDS):
        at = timezone.now()
        patient = make_patient(region.riverside, f"RACE-{number}")
        study = Study.objects.with_owners().get(pk=make_study(patient).pk)
        consent = region.permit(
            organizations=(), named_by_custodian=True, actions=SHARING_ON, patient=patient, at=at,
            ends_at=at + timedelta(days=30),
        )  # fmt: skip
        yield Case(region, study, consent, at)


def together(*verbs: Verb) -> list[Any]:
    """What each gave back: a refusal as its code, anything else that was raised as it is."""
    results: list[Any] = [None] * len(verbs)
    barrier = threading.Barrier(len(verbs))

    def run(place: int) -> None:
        try:
            barrier.wait()
            results[place] = verbs[place]()
        except DomainError as error:
            results[place] = error.code
        except BaseException as error:  # noqa: BLE001 - the test must see whatever came
            results[place] = error
        finally:
            connection.close()

    threads = [
        threading.Thread(target=copy_context().run, args=(run, place))
        for place in range(len(verbs))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not [each for each in results if isinstance(each, BaseException)], results
    return results


def test_from_the_moment_that_a_revocation_returned_nothing_is_fetched(
    cases: Iterator[Case],
) -> None:
    """What was fetched before may have been; once refused, it stays refused."""
    for case in cases:
        case.share(case.region.ada, case.region.ben)
        over: list[float] = []

        def revoke(case: Case = case, over: list[float] = over) -> None:
            time.sleep(0.002)
            case.revoke()
            over.append(time.perf_counter())

        def fetch(case: Case = case) -> list[tuple[float, bool]]:
            seen = []
            for _ in range(400):
                seen.append((time.perf_counter(), case.sees(case.region.ben)))
                if not seen[-1][1]:
                    break
            return [*seen, (time.perf_counter(), case.sees(case.region.ben))]

        _, fetched = together(revoke, fetch)
        assert not [began for began, allowed in fetched if allowed and began > over[0]]
        answers = [allowed for _, allowed in fetched]
        assert answers == sorted(answers, reverse=True)
        assert not case.sees(case.region.ben)


def test_of_two_who_approve_a_request_one_does(cases: Iterator[Case]) -> None:
    """One share, one grant, and the other one is told that there is nothing to answer."""
    for case in cases:
        asked = case.ask()
        done = together(lambda c=case, a=asked: c.approve(a), lambda c=case, a=asked: c.approve(a))
        assert sorted(map(str, done)) in (["None", "absent"], ["None", "not_now"]), done
        assert Grant.objects.filter(patient=case.study.patient).count() == 1


@pytest.mark.parametrize("other", ["refuse", "withdraw"])
def test_a_request_has_one_answer(cases: Iterator[Case], other: str) -> None:
    """There is a share if, and only if, it was approved."""
    for case in cases:
        asked = case.ask()
        by = {"refuse": case.region.ada, "withdraw": case.region.ben}[other]

        def end(asked: AccessRequest = asked, by: Person = by) -> None:
            if other == "refuse":
                refuse_request(
                    public_id=asked.public_id, why="Not now.", by=by.actor, at=timezone.now()
                )
            else:
                withdraw_request(public_id=asked.public_id, by=by.actor, at=timezone.now())

        approved, ended = together(lambda c=case, a=asked: c.approve(a), end)
        assert (approved, ended).count(None) == 1, (approved, ended)
        asked.refresh_from_db()
        left = {"refuse": "refused", "withdraw": "withdrawn"}[other]
        assert asked.state == ("approved" if approved is None else left)
        assert Grant.objects.filter(patient=case.study.patient).exists() == (approved is None)
        assert case.sees(case.region.ben) == (approved is None)


def test_approving_and_revoking_at_once_leave_nothing_open(cases: Iterator[Case]) -> None:
    """Either nothing carried the share any more, or what carried it is gone."""
    seen = Counter[str]()
    for case in cases:
        asked = case.ask()
        approved, _ = together(lambda c=case, a=asked: c.approve(a), case.revoke)
        assert approved in (None, "not_covered"), approved
        assert not case.sees(case.region.ben)
        seen[str(approved)] += 1
    assert seen.total() == ROUNDS


def test_sharing_on_and_ending_the_share_at_once_leave_nothing_open(
    cases: Iterator[Case],
) -> None:
    """Ben shares on while Ada ends his share: refused, or ended with it."""
    for case in cases:
        made = case.share(case.region.ada, case.region.ben, *sorted(SHARING_ON))
        case.region.permit(
            case.region.hilltop, patient=case.study.patient, at=case.at, actions=SHARING_ON
        )

        def end(made: Share = made, case: Case = case) -> None:
            ada = case.region.ada.actor
            revoke_share(public_id=made.public_id, by=ada, at=timezone.now())

        together(lambda c=case: c.share(c.region.ben, c.region.cleo), end)
        assert not case.sees(case.region.cleo)
        assert not Grant.objects.filter(patient=case.study.patient, revoked_at=None).exists()


def test_a_refusal_and_a_share_at_once_end_in_the_refusal(cases: Iterator[Case]) -> None:
    """Deny wins ties."""
    for case in cases:

        def refuse(case: Case = case) -> None:
            at = timezone.now()
            case.region.deny(patient=case.study.patient, at=at, ends_at=at + timedelta(days=9))

        together(refuse, lambda c=case: c.share(c.region.ada, c.region.ben))
        assert not case.sees(case.region.ben)


def test_nothing_is_fetched_from_the_moment_at_which_a_share_ends(cases: Iterator[Case]) -> None:
    """At the edge: until the last moment yes, from the end on no, whoever asks meanwhile."""
    for case in cases:
        made = case.share(case.region.ada, case.region.ben)
        ends = timezone.now() + timedelta(milliseconds=15)
        Grant.objects.filter(share=made).update(ends_at=ends)

        def fetch(case: Case = case, ends: datetime = ends) -> list[tuple[datetime, bool]]:
            seen = []
            while not seen or seen[-1][0] <= ends:
                at = timezone.now()
                seen.append((at, case.sees(case.region.ben, at)))
            return seen

        for fetched in together(fetch, fetch):
            assert all(allowed == (at < ends) for at, allowed in fetched)
        tick = timedelta(microseconds=1)
        edge = [case.sees(case.region.ben, ends + n * tick) for n in (-1, 0, 1)]
        assert edge == [True, False, False]


@pytest.mark.parametrize("ending", [None, "take_out", "close"])
def test_who_is_let_in_while_an_album_changes_sees_what_is_in_it_and_nothing_else(
    cases: Iterator[Case], ending: str | None
) -> None:
    """A study put in, taken out, or the album closed in the moment in which Ben is let in."""
    for case in cases:
        ada, at = case.region.ada.actor, case.at
        wanted = AlbumWanted("Board", Purpose.TREATMENT, at + timedelta(days=1))
        name = make_album(wanted=wanted, by=ada, at=at).public_id

        def put_in(case: Case = case, name: str = name, ada: Any = ada) -> None:
            add_studies(public_id=name, studies=[case.study], by=ada, at=timezone.now())

        def let_in(case: Case = case, name: str = name, ada: Any = ada) -> None:
            to, ben = case.region.hilltop, case.region.ben.user
            add_member(public_id=name, to=to, person=ben, by=ada, at=timezone.now())

        def end(case: Case = case, name: str = name, ada: Any = ada) -> None:
            if ending == "close":
                close_album(public_id=name, by=ada, at=timezone.now())
            else:
                take_out(public_id=name, study=case.study, by=ada, at=timezone.now())

        if ending is not None:
            put_in()
        results = together(let_in, end if ending else put_in)
        assert results[1] is None
        assert case.sees(case.region.ben) == (ending is None)
        assert Grant.objects.filter(revoked_at=None, study_uid=case.study.study_uid).count() == (
            ending is None
        )
