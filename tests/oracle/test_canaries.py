"""No answer to anybody holds what the model says they may not know (A01, A03, A04, A05).

Every route, every method, everybody, with ids of everybody; between requests the region lives on.
REQUESTS says how many; a leak names the request and what was found. What would change the region
is undone after it answered: the model must know all that happened.
"""

import logging
import os
from collections import Counter
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.test import TestCase

from portal.bearers import DOORS
from sharing.audit.windows import windows
from sharing.kernel.errors import DomainError
from tests.oracle import acts, facts
from tests.oracle.answers import Answer, Knocker, bearers, knockers, opened, patterns
from tests.oracle.asking import MACHINES, NEVER, Pool, Question, parameters, question
from tests.oracle.canaries import Canaries, build
from tests.oracle.marks import Mark, open_to
from tests.oracle.model import may
from tests.oracle.sending import SENT, sent

REQUESTS = int(os.environ.get("REQUESTS", "1000"))
SEED = int(os.environ.get("SEED", "1"))
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
RARELY = frozenset({"account_closes_or_opens", "organization_rests_or_resumes", "token_ends"})
"""After which somebody gets nothing but refusals."""
ACT_EACH, ANEW_EACH = 25, 500
LOOKS = ("dicomweb:", "viewer:", "web:opened")
RETRIEVED = tuple(f"dicomweb:{kind}" for kind in (
    "frame", "bulkdata", "instance", "series-metadata", "series-rendered", "series-thumbnail",
    "study-metadata", "study-rendered", "study-thumbnail",
))  # fmt: skip
UNNAMED = ("api:copies-zip", "web:copies")
AGAIN = 8
"""So many are asked again after each change that were answered before, whatever ended by it."""


class Clock:
    """The region's own time, which every view asks for."""

    def __init__(self, both: Canaries) -> None:
        self.both = both

    def __call__(self) -> datetime:
        self.both.at += timedelta(microseconds=1)
        return self.both.at


@pytest.mark.django_db
@pytest.mark.usefixtures("own_store")
def test_no_answer_holds_what_its_reader_may_not_know(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, run_jobs: Any
) -> None:
    rng, seen = Random(SEED), Counter[int]()
    answered: set[tuple[str, int]] = set()
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("sharing.audit.windows.REMEMBERED_SECONDS", 3600.0)
    # All of a world is one transaction: who writes counts beside it waits for it, and it for them.
    monkeypatch.setattr(windows, "count", lambda event: None)
    # The world has a time of its own, and the database today's.
    monkeypatch.setattr("sharing.kernel.clock.is_apart", lambda: False)
    routes = [each for each in parameters() if each[0] not in NEVER]
    for first in range(0, REQUESTS, ANEW_EACH):
        with transaction.atomic():
            both = build()
            monkeypatch.setattr("django.utils.timezone.now", Clock(both))
            _live(both, rng, 12)
            _ask(both, rng, routes, min(ANEW_EACH, REQUESTS - first), seen, answered, run_jobs)
            _nothing_in(both, caplog.text, "the log")
            _nothing_in(both, "".join(_letter(each) for each in mail.outbox), "an e-mail")
            transaction.set_rollback(True)
        caplog.clear()
        mail.outbox.clear()
        windows.forget()
    good = {route for route, status in answered if status == 200}
    print(f"\n{REQUESTS} requests: {dict(sorted(seen.items()))}; {len(good)} routes answered 200")
    assert seen[200] > REQUESTS // 12
    assert seen[404] > REQUESTS // 10
    assert not {status for status in seen if status >= 500}


def _ask(
    both: Canaries,
    rng: Random,
    routes: Any,
    requests: int,
    seen: Counter[int],
    answered: set[tuple[str, int]],
    run_jobs: Any,
) -> None:
    pool, people = Pool(both, rng), knockers(both)
    everybody = people + bearers(both)
    pool.refill()
    before: list[tuple[Knocker, Question]] = []
    again: list[tuple[Knocker, Question]] = []
    for number in range(requests):
        if number % ACT_EACH == ACT_EACH - 1:
            _live(both, rng, 2)
            run_jobs(both.at)
            pool.refill()
            everybody = people + bearers(both)
            again = rng.sample(before, min(AGAIN, len(before)))
        who = rng.choice(everybody)
        who, asked = again.pop() if again else (who, _drawn(pool, who, routes))
        asker = who.actor()
        answer = _answer(who, asked)
        seen[answer.status] += 1
        answered.add((asked.route, answer.status))
        _judge(both, asker, asked, answer)
        if answer.status == 200 and asked.method == "GET" and asked.route.startswith(LOOKS):
            before = [*before[-30:], (who, asked)]


def _drawn(pool: Pool, who: Knocker, routes: Any) -> Question:
    """Machines mostly ask as machines, bearers where a link leads, and some send something."""
    rng, machines = pool.rng, [each for each in routes if each[0].startswith(MACHINES)]
    near, kinds = rng.random() < 0.95, routes
    if who.wish is not None and who.wish.kind == "link":
        kinds = [each for each in routes if each[0] in DOORS or each[0].startswith(LOOKS)]
    elif who.token:
        kinds = machines + 3 * [each for each in routes if each[0] in SENT]
    elif rng.random() < 0.3:
        kinds, near = machines, True
    asked = question(pool, kinds if near else routes)
    return sent(pool, asked) if asked.route in SENT and rng.random() < 0.8 else asked


def _answer(who: Knocker, asked: Question) -> Answer:
    """A look stays in the log, and in what this process knows of it, as if it were committed."""
    if asked.method in SAFE:
        with TestCase.captureOnCommitCallbacks() as promised:
            answer = who.ask(asked)
        for each in promised:
            if getattr(each, "func", None) == windows.remember:
                each()
        return answer
    known = dict(windows._known)
    with transaction.atomic():
        answer = who.ask(asked)
        transaction.set_rollback(True)
    windows.forget()  # the log never had it
    windows._known.update(known)
    return answer


def _live(both: Canaries, rng: Random, number: int) -> None:
    """Something happens in the region, mostly what gives or takes access."""
    for _ in range(number):
        act = rng.choice(acts.ACTS)
        if act.__name__ in RARELY and rng.random() < 0.8:
            continue
        try:
            with transaction.atomic():
                act(both, rng)
        except DomainError:
            continue
    both.note_names()


def _judge(both: Canaries, asker: facts.Actor | None, asked: Question, answer: Answer) -> None:
    """Every mark and every pattern in it is for the asker's eyes, or was typed by them; and no
    status says of a study's images that they are there, to whom may not see them. OPTIONS tells
    what such an address can do, whether or not anything is there.
    """
    named = [key for key, held in both.held.items() if f"/studies/{held.study}/" in asked.path]
    asks = asked.method != "OPTIONS" and asked.route.startswith(RETRIEVED)
    retrieved = named[0] if named and asks and answer.status in (200, 206, 304) else ""
    if retrieved:
        seen = asker is not None and may(both.world, asker, "images", retrieved, both.at)
        assert seen, f"{asker} got {answer.status} by {asked}"
    for said in opened(answer):
        for text in both.marks.found(said):
            mark = both.marks.known[text]
            if text.lower() in asked.typed or _stands_in(both, mark, retrieved):
                continue
            if not open_to(both.world, asker, mark, both.at):
                pytest.fail(f"{asker} got {mark} by {asked}: {answer.status} {_near(said, text)}")
    unnamed = asked.route in UNNAMED
    action = "download" if unnamed else "images"
    for key in patterns(answer, both.seeds):
        seen = asker is not None and may(both.world, asker, action, key, both.at, unnamed=unnamed)
        assert seen, f"{asker} saw pixels of {key} by {asked}"


def _stands_in(both: Canaries, mark: Mark, retrieved: str) -> bool:
    """Whether it is written in the images that were just found to be the asker's to see: a permit
    may give these alone, and their own attributes name the study and the patient.
    """
    if not retrieved or mark.of not in ("study", "patient", "image"):
        return False
    return mark.study == retrieved or mark.patient == both.world.studies[retrieved].patient


def _near(said: bytes, text: bytes) -> bytes:
    at = said.lower().find(text.lower())
    return said[max(0, at - 200) : at + 60]


def _letter(message: Any) -> str:
    return f"{message.subject}\n{message.body}\n{message.alternatives}"


def _nothing_in(both: Canaries, text: str, where: str) -> None:
    """A log line and an e-mail are read by whoever comes by: nothing of a patient stands there."""
    private = ("patient", "study", "image", "evidence", "words")
    found = both.marks.found(text.encode())
    leaked = {m: both.marks.known[m] for m in found if both.marks.known[m].of in private}
    assert not leaked, f"{where}: {leaked}"
