"""The two clients: the same calls, waited for or awaited."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx

from . import calls
from .calls import Call, Page, Request, Response, Watcher
from .errors import PortalError, Unreachable
from .models import Me, Receipt, Share, Study
from .tokens import Tokens

T = TypeVar("T")
TIMEOUT = 60.0
Pages = Callable[[str], Call[Page[T]]]


def files_in(folder: Path) -> list[tuple[str, Path]]:
    """The files of a folder, or the one file, by their paths below it."""
    if folder.is_file():
        return [(folder.name, folder)]
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(str(path.relative_to(folder)), path) for path in found]


def _options(url: str, token: str | Tokens, options: dict[str, Any]) -> dict[str, Any]:
    """The token goes to that portal and nowhere else: no redirect is followed."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise PortalError("The portal's address begins with https://.")
    headers = {"Accept": "application/json"}
    values = {"base_url": url, "headers": headers, "timeout": TIMEOUT, "follow_redirects": False}
    if isinstance(token, Tokens):
        values["auth"] = token
    else:
        headers["Authorization"] = f"Bearer {token}"
    return values | options


def _arguments(base: httpx.URL, request: Request) -> dict[str, Any]:
    address = urlsplit(request.path)
    if address.netloc and address.netloc != base.netloc.decode():
        raise PortalError("The portal named an address that is not its own.")
    path = f"{address.path}?{address.query}" if address.query else address.path
    given: dict[str, Any] = {"method": request.method, "url": path, "headers": request.headers}
    if request.params:
        given["params"] = request.params
    if request.json is not None:
        given["json"] = request.json
    if request.content is not None:
        given["content"] = request.content
    return given


def _read(answer: httpx.Response) -> Response:
    kind = answer.headers.get("content-type", "")
    told = answer.json() if "json" in kind and answer.content else None
    return Response(answer.status_code, dict(answer.headers), told)


_BROKEN = Response(0, {})


class Client:
    """The portal at `url`, asked with a bearer token. Close it, or use it with `with`."""

    def __init__(self, url: str, token: str | Tokens, **options: Any) -> None:
        """`options` are httpx's own: `verify`, `timeout`, `transport`."""
        self._http = httpx.Client(**_options(url, token, options))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *why: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def me(self) -> Me:
        """Who the caller is to the portal."""
        return self._run(calls.me())

    def studies(self, **filters: str) -> Iterator[Study]:
        """All studies in sight, newest arrival first; `q`, `modality`, `custodian`, `patient`."""
        return self._all(lambda path: calls.studies(path, **({} if path else filters)))

    def study(self, study_id: str) -> Study:
        """One study with its series."""
        return self._run(calls.study(study_id))

    def shares(self, direction: str = "received") -> Iterator[Share]:
        """Living shares, `received` or `given`."""
        return self._all(lambda path: calls.shares(path, direction))

    def share(
        self,
        study_ids: Sequence[str],
        *,
        to: str,
        until: datetime,
        may: str = "images",
        note: str = "",
    ) -> Share:
        """Share studies with the organization of that code."""
        return self._run(calls.share(study_ids, to=to, until=until, may=may, note=note))

    def end_share(self, share_id: str) -> None:
        """End a share at once."""
        self._run(calls.end_share(share_id))

    def fhir(self, path: str, **params: str) -> dict[str, Any]:
        """A FHIR R4 resource or Bundle."""
        return self._run(calls.fhir(path, **params))

    def upload(self, folder: Path | str, *, told: Watcher | None = None) -> Receipt:
        """Send a file or a folder of DICOM and wait for the receipt."""
        return self._run(calls.upload(files_in(Path(folder)), told=told))

    def watch(self, *, every: float = 10.0) -> Iterator[Study]:
        """Studies as they come into sight, from now on; never ends by itself."""
        known = {each.id for each in self.studies()}
        while True:
            time.sleep(every)
            for each in reversed(self._run(calls.studies(""))[0]):
                if each.id not in known:
                    known.add(each.id)
                    yield each

    def _all(self, page: Pages[T]) -> Iterator[T]:
        values, following = self._run(page(""))
        yield from values
        while following:
            values, following = self._run(page(following))
            yield from values

    def _run(self, call: Call[T]) -> T:
        try:
            request = next(call)
            while True:
                request = call.send(self._ask(request))
        except StopIteration as ended:
            value: T = ended.value
            return value

    def _ask(self, request: Request) -> Response:
        time.sleep(request.pause)
        try:
            return _read(self._http.request(**_arguments(self._http.base_url, request)))
        except httpx.ConnectError as error:
            raise Unreachable("The portal can't be reached.") from error
        except httpx.TransportError:
            return _BROKEN


class AsyncClient:
    """The same, awaited. Close it, or use it with `async with`."""

    def __init__(self, url: str, token: str | Tokens, **options: Any) -> None:
        """`options` are httpx's own: `verify`, `timeout`, `transport`."""
        self._http = httpx.AsyncClient(**_options(url, token, options))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *why: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def me(self) -> Me:
        """Who the caller is to the portal."""
        return await self._run(calls.me())

    def studies(self, **filters: str) -> AsyncIterator[Study]:
        """All studies in sight, newest arrival first."""
        return self._all(lambda path: calls.studies(path, **({} if path else filters)))

    async def study(self, study_id: str) -> Study:
        """One study with its series."""
        return await self._run(calls.study(study_id))

    def shares(self, direction: str = "received") -> AsyncIterator[Share]:
        """Living shares, `received` or `given`."""
        return self._all(lambda path: calls.shares(path, direction))

    async def share(
        self,
        study_ids: Sequence[str],
        *,
        to: str,
        until: datetime,
        may: str = "images",
        note: str = "",
    ) -> Share:
        """Share studies with the organization of that code."""
        return await self._run(calls.share(study_ids, to=to, until=until, may=may, note=note))

    async def end_share(self, share_id: str) -> None:
        """End a share at once."""
        await self._run(calls.end_share(share_id))

    async def fhir(self, path: str, **params: str) -> dict[str, Any]:
        """A FHIR R4 resource or Bundle."""
        return await self._run(calls.fhir(path, **params))

    async def upload(self, folder: Path | str, *, told: Watcher | None = None) -> Receipt:
        """Send a file or a folder of DICOM and wait for the receipt."""
        files = await asyncio.to_thread(files_in, Path(folder))
        return await self._run(calls.upload(files, told=told))

    async def watch(self, *, every: float = 10.0) -> AsyncIterator[Study]:
        """Studies as they come into sight, from now on; never ends by itself."""
        known = {each.id async for each in self.studies()}
        while True:
            await asyncio.sleep(every)
            for each in reversed((await self._run(calls.studies("")))[0]):
                if each.id not in known:
                    known.add(each.id)
                    yield each

    async def _all(self, page: Pages[T]) -> AsyncIterator[T]:
        values, following = await self._run(page(""))
        for each in values:
            yield each
        while following:
            values, following = await self._run(page(following))
            for each in values:
                yield each

    async def _run(self, call: Call[T]) -> T:
        try:
            request = next(call)
            while True:
                request = call.send(await self._ask(request))
        except StopIteration as ended:
            value: T = ended.value
            return value

    async def _ask(self, request: Request) -> Response:
        await asyncio.sleep(request.pause)
        try:
            return _read(await self._http.request(**_arguments(self._http.base_url, request)))
        except httpx.ConnectError as error:
            raise Unreachable("The portal can't be reached.") from error
        except httpx.TransportError:
            return _BROKEN
