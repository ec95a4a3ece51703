"""The operator runs the region and meets no patient: at no route, by no method, with no id.

The region full of marks has lived a while. Otto asks every route of the access matrix with ids of
what is on file and with words that he could have heard. Nothing that comes back may be of a
patient, a study, a consent or a share. The same walk by a hospital's clerk finds such marks: the
walk would have seen them. Machines of his office get no scope that leads there
(tests/partners/test_office.py).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from sharing.audit.windows import windows
from tests.house.access_matrix import MATRIX
from tests.oracle.answers import Answer, knockers, opened, patterns
from tests.oracle.asking import NEVER, Pool, Question, parameters, question
from tests.oracle.canaries import Canaries, build
from tests.oracle.test_canaries import _answer, _live

OWN = frozenset({"organization"})
"""What a mark may be of that an operator reads."""
EACH_POST = 3
"""Every third route is also posted to: refusals of the others are the access matrix's matter."""


@pytest.fixture
def lived(own_store: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Canaries]:
    """The region after some weeks: consents, shares, requests, emergencies, albums, links."""
    both = build()
    monkeypatch.setattr("django.utils.timezone.now", lambda: both.at)
    monkeypatch.setattr("sharing.kernel.clock.is_apart", lambda: False)  # the database's is today's
    monkeypatch.setattr("sharing.audit.windows.REMEMBERED_SECONDS", 3600.0)
    _live(both, Random(6), 40)
    yield both
    windows.forget()


@pytest.mark.django_db
def test_an_operator_without_a_support_session_meets_no_patient_at_any_route(
    lived: Canaries,
) -> None:
    """Each page, each address of the faces, and what a form answers that is posted."""
    statuses: Counter[int] = Counter()
    otto = next(who for who in knockers(lived) if who.wish and who.wish.key == "otto")
    for asked in walk(lived):
        answer = _answer(otto, asked)
        statuses[answer.status] += 1
        sung = private(lived, asked, answer)
        assert not sung, f"Otto met {sung} by {asked}: {answer.status}"
    assert not {status for status in statuses if status >= 500}, statuses
    assert statuses[200] > 40, statuses
    assert statuses[404] > 100, statuses


@pytest.mark.django_db
def test_a_clerk_on_the_same_walk_meets_patients(lived: Canaries) -> None:
    """Else the walk above would show nothing."""
    mei = next(who for who in knockers(lived) if who.wish and who.wish.key == "mei")
    lists = ("web:patients", "web:studies", "web:patient", "api:studies", "fhir:Patient-search")
    found = {
        asked.route
        for asked in walk(lived)
        if asked.route in lists and private(lived, asked, _answer(mei, asked))
    }
    assert len(found) > 1, found


def walk(both: Canaries) -> Iterator[Question]:
    """Every route of the matrix by each method, with ids drawn from what is on file."""
    pool = Pool(both, Random(7))
    pool.refill()
    every = [each for each in parameters() if each[0] in MATRIX and each[0] not in NEVER]
    assert len(every) > 300
    for number, route in enumerate(every):
        for method in ("GET",) if number % EACH_POST else ("GET", "POST"):
            asked = question(pool, [route])
            yield replace(asked, method=method, body=asked.body if method == "POST" else {})


def private(both: Canaries, asked: Question, answer: Answer) -> set[str]:
    """What came back of a patient that was not typed: marks, and pixels."""
    marks = {text for said in opened(answer) for text in both.marks.found(said)}
    known = {both.marks.known[text].of for text in marks if text.lower() not in asked.typed}
    shown = patterns(answer, both.seeds) if answer.status < 300 else set()
    return (known - OWN) | shown
