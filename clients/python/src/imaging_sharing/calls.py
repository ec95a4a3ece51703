"""What is asked of the portal, apart from how: each call is a generator of requests.

A call yields a `Request`, is sent the `Response`, and returns its value; so the waiting client and
the awaited one run the same code. `page` calls return values and the address of the next page.
"""

import base64
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from .errors import Refused
from .models import Me, Progress, Receipt, Share, Study

T = TypeVar("T")
PIECE = 4 * 1024 * 1024
API = "/api/v1"
TRIES = 5
_TUS = {"Tus-Resumable": "1.0.0"}


@dataclass(frozen=True)
class Request:
    """One request; `pause` seconds pass before it. `again`: it may be sent twice."""

    method: str
    path: str
    params: dict[str, str] = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0


@dataclass(frozen=True)
class Response:
    """What came back; status 0: the connection broke."""

    status: int
    headers: dict[str, str]
    json: Any = None


Call = Generator[Request, Response, T]
Page = tuple[list[T], str]
Watcher = Callable[[Progress], None]


def me() -> Call[Me]:
    """Who the caller is."""
    return Me.read((yield from _ok(Request("GET", f"{API}/me/"))))


def studies(path: str, **filters: str) -> Call[Page[Study]]:
    """A page of studies, newest arrival first."""
    told = yield from _ok(Request("GET", path or f"{API}/studies/", params=filters))
    return [Study.read(each) for each in told["results"]], str(told.get("next") or "")


def study(study_id: str) -> Call[Study]:
    """One study with its series; the portal's access log keeps that it was read."""
    return Study.read((yield from _ok(Request("GET", f"{API}/studies/{study_id}/"))))


def shares(path: str, direction: str) -> Call[Page[Share]]:
    """A page of living shares."""
    params = {} if path else {"direction": direction}
    told = yield from _ok(Request("GET", path or f"{API}/shares/", params=params))
    return [Share.read(each) for each in told["results"]], str(told.get("next") or "")


def share(
    study_ids: Sequence[str], *, to: str, until: datetime, may: str, note: str
) -> Call[Share]:
    """Share studies with an organization, inside what the patients' consents permit."""
    wish = {
        "studies": list(study_ids), "to": to, "may": may, "until": until.isoformat(), "note": note,
    }  # fmt: skip
    return Share.read((yield from _ok(Request("POST", f"{API}/shares/", json=wish))))


def end_share(share_id: str) -> Call[None]:
    """End a share at once, with all that was passed on from it."""
    yield from _ok(Request("DELETE", f"{API}/shares/{share_id}/"))


def fhir(path: str, **params: str) -> Call[dict[str, Any]]:
    """A FHIR R4 resource or Bundle: `fhir("ImagingStudy", modality="CT")`."""
    found: dict[str, Any] = yield from _ok(Request("GET", f"/fhir/{path}", params=params))
    return found


# --- uploads --------------------------------------------------------------------------------------
def upload(
    files: Sequence[tuple[str, Path]], *, told: Watcher | None = None, piece: int = PIECE
) -> Call[Receipt]:
    """Send files by tus and wait for the receipt; a broken connection goes on where it was."""
    batch = yield from _ok(Request("POST", f"{API}/upload-batches/"))
    sizes = [path.stat().st_size for _, path in files]
    done = 0
    for number, (name, path) in enumerate(files):
        so_far = _Telling(told, name, number, len(files), done, sum(sizes))
        yield from _file(batch["id"], name, path, so_far, piece)
        done += sizes[number]
    if told is not None:
        told(Progress("", len(files), len(files), done, sum(sizes)))
    yield from _ok(Request("POST", f"{batch['url']}close/"))
    return (yield from _received(batch["url"]))


@dataclass(frozen=True)
class _Telling:
    told: Watcher | None
    name: str
    number: int
    files: int
    before: int
    total: int

    def __call__(self, offset: int) -> None:
        if self.told is not None:
            done = self.before + offset
            self.told(Progress(self.name, self.number, self.files, done, self.total))


def _file(batch: str, name: str, path: Path, told: _Telling, piece: int) -> Call[None]:
    length, url = path.stat().st_size, ""
    pairs = {"filename": name, "batch": batch}
    metadata = ",".join(f"{key} {_base64(value)}" for key, value in pairs.items())
    headers = {**_TUS, "Upload-Length": str(length), "Upload-Metadata": metadata}
    made = yield from _sent(Request("POST", f"{API}/uploads/", headers=headers))
    url, offset = made.headers["location"], 0
    with path.open("rb") as file:
        while offset < length:
            told(offset)
            file.seek(offset)
            offset = yield from _piece(url, offset, file.read(piece))


def _piece(url: str, offset: int, data: bytes) -> Call[int]:
    """The next offset; where a piece got lost, the one that the portal knows."""
    kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
    for tries in range(TRIES):
        request = Request("PATCH", url, content=data, headers={**_TUS, **kind}, pause=0.5 * tries)
        answer = yield request
        if answer.status == 204:
            return int(answer.headers["upload-offset"])
        if answer.status not in (0, 409, 423, 502, 503, 504):
            raise refused(answer)
        known = yield Request("HEAD", url, headers=_TUS, pause=0.5 * tries)
        if known.status == 200 and int(known.headers["upload-offset"]) != offset:
            return int(known.headers["upload-offset"])
    raise refused(answer)


def _received(url: str, *, tries: int = 600) -> Call[Receipt]:
    """The receipt, once the portal looked at every file."""
    for number in range(tries):
        told = yield from _ok(Request("GET", url, pause=min(0.1 * number, 2.0)))
        if told["state"] not in ("open", "receiving"):
            break
    return Receipt.read(told)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


# --- answers --------------------------------------------------------------------------------------
def _ok(request: Request) -> Call[Any]:
    return (yield from _sent(request)).json


def _sent(request: Request) -> Call[Response]:
    """The answer; what can be asked again is, where the portal has no time now."""
    safe = request.method in ("GET", "HEAD")
    answer = yield request
    for tries in range(1, TRIES):
        if answer.status not in (0, 429, 503) or (answer.status == 0 and not safe):
            break
        wait = float(answer.headers.get("retry-after", "") or 0.5 * tries)
        answer = yield Request(**{**vars(request), "pause": min(wait, 30.0)})
    if not 200 <= answer.status < 300:
        raise refused(answer)
    return answer


def refused(answer: Response) -> Refused:
    """The portal's no, in its own words: RFC 9457, or FHIR's OperationOutcome."""
    told = answer.json if isinstance(answer.json, dict) else {}
    issue = (told.get("issue") or [{}])[0]
    code = told.get("code") or issue.get("diagnostics") or "error"
    detail = told.get("detail") or issue.get("details", {}).get("text") or "The portal said no."
    wait = answer.headers.get("retry-after", "")
    return Refused(answer.status, code, detail, float(wait) if wait.isdecimal() else None)
