"""What somebody may not see changes no byte of any answer to them (A04, A05).

Two worlds that differ by hidden data only: the same region before and after others were busy. The
same questions get the same answers: status, headers, body, counts, ETags, and the same number of
statements. What is drawn anew for each answer is masked; the clock stands still.
"""

import os
import re
from dataclasses import dataclass, replace
from difflib import unified_diff
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from sharing.audit.windows import windows
from tests.cast import NOW
from tests.oracle import hiding
from tests.oracle.answers import Answer, Knocker, knockers
from tests.oracle.asking import MACHINES, NEVER, Pool, Question, parameters, question
from tests.oracle.canaries import Canaries, build
from tests.oracle.region import DAY

QUESTIONS = int(os.environ.get("QUESTIONS", "10"))  # to each reader
SEED = int(os.environ.get("SEED", "8"))
READERS = (
    ("ben", "TREAT"), ("hal", "HOPERAT"), ("rhea", "HRESCH"), ("cleo", "TREAT"), ("lou", "HOPERAT"),
    ("otto", "HOPERAT"), ("hilltop TREAT", "TREAT"), ("lakeside TREAT", "TREAT"), (None, ""),
)  # fmt: skip
MASKS = (
    re.compile(rb'"[A-Za-z0-9]{64}"'),  # a form's token
    re.compile(rb"\d\d:\d\d\. Not for diagnosis"),  # by the machine's own clock
    re.compile(rb"nonce[-=]\"?[A-Za-z0-9+/_=-]+"),
    re.compile(rb"boundary=\"?[A-Za-z0-9'()+_,./:=?-]+"),
)
SUMS = frozenset(
    {"web:region-console", "web:region-usage", "web:region-usage-table", "web:region-work"}
)
"""What the operator counts is of all that the organizations hold, by its office: sums alone."""
VALUES = re.compile(r'"s\d+_x\d+"|VALUES \(\d+|\'[^\']*\'?|\bid = \d+')
DRAWN = frozenset(
    {"x-request-id", "set-cookie", "date", "expires", "ratelimit-remaining", "ratelimit-reset"}
)


@dataclass(frozen=True)
class Told:
    """An answer without what is drawn for it, and what it cost."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    statements: tuple[str, ...]


@pytest.mark.django_db
@pytest.mark.usefixtures("own_store")
def test_hidden_data_changes_no_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    both = build()
    hiding.add_brookside(both)
    hiding.open_some(both)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW + DAY)
    for drawn, stands in (("new_key", b"one key"), ("public_id", "a copy")):
        monkeypatch.setattr(f"sharing.archive.services.unnamed.{drawn}", lambda said=stands: said)
    asked = _questions(both) + _copies(both)
    _told(asked)  # what a process reads once is read
    before = _told(asked)
    hiding.hide_much(both, NOW + DAY)
    after = _told(asked)
    told_apart = [
        f"{who.wish} by {question_}:\n{_first_difference(was, told)}"
        for (who, question_), was, told in zip(asked, before, after, strict=True)
        if told != was
    ]
    assert not told_apart, "\n\n".join(told_apart[:9])
    statuses = [told.status for told in before]
    assert statuses.count(200) > len(statuses) // 20
    assert statuses[-3:] == [200] * 3
    assert b".dcm" in before[-2].body


def _questions(both: Canaries) -> list[tuple[Knocker, Question]]:
    rng = Random(SEED)
    pool = Pool(both, rng)
    pool.refill()
    routes = [each for each in parameters() if each[0] not in NEVER]
    # A new secret each time, and nothing but the reader's own account.
    routes = [each for each in routes if not each[0].startswith(("mfa_", "account_"))]
    chosen = [who for who in knockers(both) if _key(who) in READERS]
    assert len(chosen) == len(READERS)
    machines = [each for each in routes if each[0].startswith(MACHINES)]
    asked = [
        (who, _plain(question(pool, machines if who.token else routes), rng))
        for who in chosen
        for _ in range(QUESTIONS)
    ]
    return [(who, each) for who, each in asked if not (_sums(who) and each.route in SUMS)]


def _copies(both: Canaries) -> list[tuple[Knocker, Question]]:
    """What the researcher may have without names: counted, on a page, and the file itself."""
    rhea = next(who for who in knockers(both) if _key(who) == ("rhea", "HRESCH"))
    paths = ("/api/v1/copies/", "/api/v1/copies/zip/", "/copies/")
    return [(rhea, Question("copies", "GET", path, {}, {})) for path in paths]


def _sums(who: Knocker) -> bool:
    return who.wish is not None and who.wish.key == "otto"


def _plain(asked: Question, rng: Random) -> Question:
    """Mostly a look. A page that is packed shows its form's token in every byte."""
    if rng.random() < 0.8:
        asked = replace(asked, method="GET", body={})
    if asked.route.startswith("dicomweb:"):
        return asked
    return replace(asked, headers={"Accept": asked.headers["Accept"]})


def _key(who: Knocker) -> tuple[str | None, str]:
    return (who.wish.key, who.wish.purpose) if who.wish else (None, "")


def _told(asked: list[tuple[Knocker, Question]]) -> list[Told]:
    return [_one(who, question_) for who, question_ in asked]


def _one(who: Knocker, question_: Question) -> Told:
    """Asked as if nobody had asked before: what it wrote is undone."""
    windows.forget()
    connection.queries_log.clear()  # Django keeps 9,000 statements, and warns that it drops some
    with transaction.atomic():
        with CaptureQueriesContext(connection) as spent:
            answer = who.ask(question_)
        transaction.set_rollback(True)
    headers = tuple(
        (name, _masked(value.encode(), answer).decode())
        for name, value in answer.headers
        if name.lower() not in DRAWN
    )
    return Told(answer.status, headers, _masked(answer.body, answer), _asked_of(spent))


def _asked_of(spent: CaptureQueriesContext) -> tuple[str, ...]:
    """Their beginnings: the values are the hidden data's own."""
    return tuple(VALUES.sub("~", each["sql"])[:60] for each in spent.captured_queries)


def _masked(said: bytes, answer: Answer) -> bytes:
    for mask in MASKS:
        said = mask.sub(b"~", said)
    boundary = re.search(r'boundary="?([^";]+)', answer.header("Content-Type"))
    return said.replace(boundary[1].encode(), b"~") if boundary else said


def _first_difference(was: Told, told: Told) -> Any:
    if was.status != told.status:
        return was.status, told.status
    if was.statements != told.statements:
        return "\n".join(unified_diff(was.statements, told.statements, lineterm="", n=1))
    if was.headers != told.headers:
        return sorted(set(was.headers) ^ set(told.headers))
    pairs = zip(was.body, told.body, strict=False)
    at = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(was.body), len(told.body)))
    return was.body[max(0, at - 200) : at + 200], told.body[max(0, at - 200) : at + 200]
