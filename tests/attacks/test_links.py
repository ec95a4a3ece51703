"""Links: previewed, guessed, raced, looked for in the database and in the logs (A12)."""

import logging
from threading import Barrier, Thread
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from sharing.archive.models import Study
from sharing.audit.models import Event
from sharing.exchange.errors import ProofWrong, TriedTooOften
from sharing.exchange.models import LinkTry, ShareLink
from sharing.exchange.rules import TRIED_WITHIN, TRIES_COUNTED, TRIES_OF_ALL, TRIES_OF_ONE
from sharing.exchange.services import open_link
from sharing.kernel.errors import DomainError
from sharing.kernel.tokens import fingerprint
from tests.cast import NOW, Region
from tests.exchange.giving import CODE, comes_in, given, lets_links


@pytest.fixture
def study(region: Region) -> Study:
    """Pat lets Riverside give links away."""
    region.at = timezone.now()
    lets_links(region, region.at)
    return region.study()


def test_following_a_link_changes_nothing(region: Region, study: Study) -> None:
    """Preview bots and mail scanners follow links; the secret is not even sent to us."""
    made = given(region, study, at=timezone.now())
    before = ShareLink.objects.values().get(), Event.objects.count()
    bot = Client()
    pages = [
        bot.get("/open/"),
        bot.head("/open/"),
        bot.get(f"/open/?link={made.secret}&code={CODE}"),
    ]
    assert all(answer.status_code == 200 for answer in pages)
    assert "sessionid" not in bot.cookies
    assert not Session.objects.exists()
    assert (ShareLink.objects.values().get(), Event.objects.count()) == before
    assert made.secret not in pages[2].content.decode()


def test_a_hundred_thousand_guesses_end_at_the_sixth(region: Region, study: Study) -> None:
    """From one address; whoever sits elsewhere comes in all the same."""
    made = given(region, study, at=timezone.now())
    guesser, somebody = Client(REMOTE_ADDR="10.1.1.1"), Client(REMOTE_ADDR="10.2.2.2")
    said = [comes_in(guesser, made.secret, f"GUESS{n}").status_code for n in range(TRIES_OF_ONE)]
    assert said == [422] * TRIES_OF_ONE
    for code in ("GUESS9", CODE):
        answer = comes_in(guesser, made.secret, code)
        assert answer.status_code == 429
        assert "Wait a quarter of an hour" in answer.content.decode()
    assert LinkTry.objects.count() == TRIES_OF_ONE, "what is refused unread is not counted"
    assert comes_in(somebody, made.secret).status_code == 302


def test_guesses_from_everywhere_are_slow_too(region: Region, study: Study) -> None:
    """No more than fifty in a day, wherever they come from; the next day it opens again."""
    at = timezone.now()
    made = given(region, study, at=at)
    for number in range(TRIES_OF_ALL):
        with pytest.raises(ProofWrong):
            open_link(secret=made.secret, code="GUESSED", client=f"10.0.0.{number}", at=at)
    for code in ("GUESSED", CODE):
        with pytest.raises(TriedTooOften):
            open_link(secret=made.secret, code=code, client="10.9.9.9", at=at)
    later = at + TRIES_COUNTED
    assert open_link(secret=made.secret, code=CODE, client="10.9.9.9", at=later)


def test_an_address_waits_a_quarter_of_an_hour_and_no_longer(region: Region, study: Study) -> None:
    at = timezone.now()
    made = given(region, study, at=at)
    for _ in range(TRIES_OF_ONE):
        with pytest.raises(ProofWrong):
            open_link(secret=made.secret, code="GUESSED", client="a", at=at)
    almost = at + TRIED_WITHIN * 0.99
    with pytest.raises(TriedTooOften):
        open_link(secret=made.secret, code=CODE, client="a", at=almost)
    assert open_link(secret=made.secret, code=CODE, client="a", at=at + TRIED_WITHIN)


def test_guessed_links_end_at_the_address_limit(region: Region, study: Study) -> None:
    """One that is no link is as wrong as one with a wrong code, until the address is refused."""
    guesser = Client(REMOTE_ADDR="10.3.3.3")
    made = given(region, study, at=timezone.now())
    real = comes_in(Client(REMOTE_ADDR="10.4.4.4"), made.secret, "GUESSED")
    none = comes_in(guesser, "A" * 43, "GUESSED")
    assert words(real) == words(none)
    assert real.status_code == none.status_code == 422
    said = [comes_in(guesser, f"{n:043}", "GUESSED").status_code for n in range(31)]
    assert said[-1] == 429
    assert set(said) == {422, 429}
    assert not LinkTry.objects.exclude(link=made.link).exists()


def words(answer: Any) -> list[str]:
    """What the page says of errors."""
    return [str(error) for error in answer.context["form"].non_field_errors()]


def test_neither_secret_nor_code_is_in_the_database_or_in_a_log(
    region: Region, study: Study, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = given(region, study, at=timezone.now())
    somebody = Client()
    for secret, code in ((made.secret, "WR0NGC0DE"), ("B" * 43, CODE), (made.secret, CODE)):
        comes_in(somebody, secret, code)
    somebody.get("/open/studies/")
    assert ShareLink.objects.get().used == 1
    held = everything()
    for hidden in (made.secret, CODE, "WR0NGC0DE", fingerprint(CODE), fingerprint(f":{CODE}")):
        assert hidden not in held
        assert hidden not in caplog.text
    assert made.link.secret_hash in held, "the scan looks where it would be"


def everything() -> str:
    """All rows of all tables, sessions decoded, as text."""
    with connection.cursor() as cursor:
        found = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            found += [str(row) for row in cursor.fetchall()]
    return "\n".join([*found, *(str(each.get_decoded()) for each in Session.objects.all())])


@pytest.mark.usefixtures("committing")
def test_of_two_who_come_at_once_for_the_last_use_one_gets_it(region: Region) -> None:
    lets_links(region, NOW)
    made = given(region, region.study(), at=NOW, uses=1)
    outcomes: list[str] = []
    barrier = Barrier(4)

    def come(number: int) -> None:
        barrier.wait()
        try:
            open_link(secret=made.secret, code=CODE, client=str(number), at=NOW)
            outcomes.append("in")
        except DomainError as error:
            outcomes.append(error.code)
        finally:
            connections.close_all()

    threads = [Thread(target=come, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", *["proof_wrong"] * 3]
    assert ShareLink.objects.get().used == 1
