"""In whose scope the database is asked: never in that of a request before, whatever happened."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import Error, connection, transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from portal import celery_app
from portal.middleware import RequestActor, RequestId
from sharing.kernel import scope
from sharing.kernel.sql import rows
from sharing.partners.services import issue_token
from tests.cast import Region

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no scope")


ASK = "SELECT COALESCE(current_setting('portal.scope', true), '')"


def told() -> str:
    """What the server believes at this moment, asked by Django's cursor and by the driver's."""
    with connection.cursor() as cursor:
        cursor.execute(ASK)
        (by_django,) = cursor.fetchone()
    ((by_driver,),) = rows(ASK)
    assert by_django == by_driver
    return str(by_driver)


def asked(view: Callable[[Any], HttpResponse], token: str | None) -> Any:
    """A request with that token, through the middleware that every request passes."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request: Any = RequestFactory().get("/dicomweb/studies", headers=headers)
    request.user, request.session = type("Stranger", (), {"is_authenticated": False})(), {}
    return RequestId(RequestActor(view))(request)


def saying(request: Any) -> HttpResponse:
    """A view that says in whose scope it was."""
    return HttpResponse(told())


def streaming(request: Any) -> StreamingHttpResponse:
    """A view whose answer asks the database while it is sent, and once more at its end."""

    def parts() -> Iterator[str]:
        try:
            yield told()
            yield told()
        finally:
            ends.append(told())

    return StreamingHttpResponse(parts())


ends: list[str] = []


@pytest.fixture
def tokens(region: Region) -> dict[str, str]:
    """A machine of each."""
    made = {}
    for code in ("riverside", "hilltop"):
        made[code] = issue_token(
            organization=getattr(region, code), name="PACS", scopes=["dicomweb.read"],
            at=timezone.now(),
        )  # fmt: skip
    return made


def machine(region: Region, code: str) -> str:
    """The scope of a machine of that organization."""
    return f"o{getattr(region, code).pk},*"


def test_each_request_on_a_connection_has_its_own_scope(
    region: Region, tokens: dict[str, str]
) -> None:
    for code in ("riverside", "hilltop", "riverside"):
        assert asked(saying, tokens[code]).content.decode() == machine(region, code)
        assert asked(saying, None).content == b""
        assert told() == scope.HOUSE


def test_a_request_that_fails_leaves_nothing_behind(region: Region, tokens: dict[str, str]) -> None:
    def failing(request: Any) -> HttpResponse:
        assert told() == machine(region, "riverside")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        raise AssertionError

    with pytest.raises(Error):
        asked(failing, tokens["riverside"])
    assert asked(saying, None).content == b""
    assert asked(saying, tokens["hilltop"]).content.decode() == machine(region, "hilltop")


def test_a_stream_is_read_in_the_scope_of_its_request_and_others_between_in_theirs(
    committing: None, region: Region, tokens: dict[str, str]
) -> None:
    ends.clear()
    answer = asked(streaming, tokens["riverside"])
    stream = iter(answer)
    mine = machine(region, "riverside").encode()
    assert next(stream) == mine
    assert asked(saying, tokens["hilltop"]).content.decode() == machine(region, "hilltop")
    assert next(stream) == mine
    with scope.within(scope.NOBODY):
        answer.close()
        assert told() == ""
    assert ends == [mine.decode()]


def test_a_rollback_to_a_savepoint_brings_no_earlier_scope_back(region: Region) -> None:
    """The server forgets with the savepoint what it was told inside it."""

    ada, ben = region.ada.actor.scope, region.ben.actor.scope
    with transaction.atomic(), scope.within(ada):
        assert told() == ada
        with scope.within(ben):
            with transaction.atomic():
                assert told() == ben
                with scope.as_house():
                    assert told() == scope.HOUSE
                transaction.set_rollback(True)
            assert told() == ben
        assert told() == ada


def test_a_connection_that_comes_back_from_the_pool_is_nobodys(committing: None) -> None:
    with scope.within("o1,u2,*"):
        assert told() == "o1,u2,*"
        connection.close()  # to the pool, as at the end of a request
    with scope.within(scope.NOBODY):
        assert told() == ""
        with transaction.atomic(), scope.as_house():
            assert told() == scope.HOUSE
            transaction.set_rollback(True)
        assert told() == ""


def test_a_thread_begins_with_nobody(committing: None) -> None:
    found: list[str] = []

    def work() -> None:
        found.append(told())
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [""]


def test_a_task_is_the_houses_whoever_rings(region: Region) -> None:
    found: list[str] = []

    @celery_app.task(name="tests.told", shared=False)
    def tell() -> None:
        found.append(told())

    with scope.within(region.ben.actor.scope):
        tell()
        tell.apply()
        assert told() == region.ben.actor.scope
    celery_app.tasks.unregister("tests.told")
    assert found == [scope.HOUSE] * 2


def test_pages_are_asked_in_the_scope_of_who_is_signed_in(region: Region) -> None:
    from tests.sessions import sign_in

    seen: list[str] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if "FROM " in sql and "archive_study" in sql:
            seen.append(context["connection"].connection._told)
        return answer

    client = sign_in(Client(), region.ben.user)
    with connection.execute_wrapper(watch):
        assert client.get("/studies/").status_code == 200
    assert set(seen) == {region.ben.actor.scope}


@pytest.mark.parametrize("name", ["x'; SELECT 1", "a b", "", "o1,*"])
def test_a_links_name_that_is_none_makes_no_scope(name: str) -> None:
    with pytest.raises(ValueError, match="public id"):
        scope.of_link(name)
