"""Who asks, what comes back, and what stands in it: opened, inflated and looked at."""

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.test import Client, RequestFactory

from portal.machines import Machines
from sharing.tenants.models import User
from sharing.tenants.services import actor_for_session
from tests.oracle import facts, images
from tests.oracle.asking import Question
from tests.oracle.canaries import Canaries
from tests.sessions import sign_in

STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the headers, the body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """One header, or blank."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass
class Knocker:
    """A browser's session, a machine's token, or nobody."""

    both: Canaries
    wish: facts.Actor | None
    client: Client = field(default_factory=Client)
    token: str = ""

    def actor(self) -> facts.Actor | None:
        """Who they are to the portal now: who lost a role acts in another of theirs."""
        if self.wish is None or self.wish.kind != "user":
            return self.wish
        user = User.objects.get(pk=self.both.users[self.wish.key].pk)
        wanted = {"acting": f"{self.wish.organization}:{self.wish.purpose}"}
        actor = actor_for_session(user, wanted, assured=True)
        if actor is None:
            return None
        code, purpose = actor.organization_code, str(actor.purpose)
        return facts.Actor("user", self.wish.key, code, purpose)

    def ask(self, question: Question) -> Answer:
        """By the same entry as a server: machines' short way first, else Django's own chain."""
        headers = dict(question.headers)
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
            plain = not question.body and not question.raw
            if plain and (answer := short(question, headers)):
                return answer
        made = self.client.generic if not question.body else None
        if made is not None:
            kind = question.kind or "application/octet-stream"
            response = made(question.method, question.path, question.raw, kind, headers=headers)
        else:
            verb = getattr(self.client, question.method.lower())
            json = {} if question.method == "POST" else {"content_type": "application/json"}
            response = verb(question.path, question.body, headers=headers, **json)
        body = b"".join(response) if response.streaming else response.content
        return Answer(response.status_code, _headers(response), body)


def _headers(response: Any) -> tuple[tuple[str, str], ...]:
    cookies = [("Set-Cookie", morsel.OutputString()) for morsel in response.cookies.values()]
    return (*response.headers.items(), *cookies)


class _Elsewhere(Exception):
    """Not for the short way."""


def short(question: Question, headers: dict[str, str]) -> Answer | None:
    """Machines' short way; None where it hands the request on."""

    def others(environ: Any, start: Any) -> Any:
        raise _Elsewhere

    told: list[Any] = []
    environ = RequestFactory().generic(question.method, question.path, headers=headers).environ
    try:
        with patch("portal.machines.hand_back"):  # the connection is the test's
            body = b"".join(Machines(others)(environ, lambda *said: told.append(said)))
    except _Elsewhere:
        return None
    status, named = told[0]
    return Answer(int(status[:3]), tuple(named), body)


def knockers(both: Canaries) -> list[Knocker]:
    """Everybody of the region in each of their purposes, all machines, and a stranger."""
    found = [Knocker(both, None)]
    for wish, actor in both.everybody():
        if actor is None:
            continue
        if wish.kind == "link":
            continue  # see `bearers`
        if wish.kind == "client":
            token = both.tokens[f"{wish.organization} {wish.purpose}"]
            found.append(Knocker(both, wish, token=token))
        else:
            client = sign_in(Client(), both.users[wish.key])
            session = client.session
            session["acting"] = f"{wish.organization}:{wish.purpose}"
            session.save()
            found.append(Knocker(both, wish, client))
    return found


def bearers(both: Canaries) -> list[Knocker]:
    """Whoever came in by a link, each in a browser of their own; also where it has ended."""
    return [Knocker(both, link.asker, _visit(both, link.made.link)) for link in both.links]


def _visit(both: Canaries, link: Any) -> Client:
    client = Client()
    session = client.session
    until = both.at + timedelta(days=9)
    session["link"] = {"name": link.public_id, "until": until.timestamp()}
    session.save()
    return client


def opened(answer: Answer) -> Iterator[bytes]:
    """The answer as it came, and whatever is folded up in it."""
    head = "\n".join(f"{key}: {value}" for key, value in answer.headers)
    yield f"{answer.status}\n{head}".encode()
    yield answer.body
    body = answer.body
    if answer.header("Content-Encoding") == "gzip" and body:
        body = gzip.decompress(body)
        yield body
    if body[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(body)) as parts:
            for name in parts.namelist():
                yield name.encode() + b"\n" + parts.read(name)
    if body[:5] == b"%PDF-":
        yield from _inflated(body)


def _inflated(paper: bytes) -> Iterator[bytes]:
    """The streams of a PDF."""
    for stream in STREAM.findall(paper):
        try:
            yield zlib.decompress(stream)
        except zlib.error:
            continue


PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


def pictures(answer: Answer) -> Iterator[bytes]:
    """Each picture in it: alone, or as a part of several."""
    body = answer.body
    for start in (PNG, JPEG):
        at = body.find(start)
        while at >= 0:
            yield body[at:]
            at = body.find(start, at + 8)


def patterns(answer: Answer, seeds: dict[str, int]) -> set[str]:
    """The studies whose pixels it shows: as pictures, or as they are stored."""
    shown = {images.whose(picture, seeds) for picture in pictures(answer)} - {None}
    raw = {k for k, seed in seeds.items() if images.pixels(seed).tobytes()[:1024] in answer.body}
    return {key for key in shown if key} | raw
