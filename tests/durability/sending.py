"""Objects made from formulas, and requests by the plainest client there is."""

import hashlib
import http.client
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

STUDIES = "/dicomweb/studies"
_BOUNDARY = "a-boundary-that-no-object-holds"
_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"  # Secondary Capture Image Storage
_LONG = {"OB", "OW", "UN", "SQ", "UT"}


@dataclass(frozen=True)
class Made:
    """One object: its UIDs and its bytes."""

    study: str
    series: str
    sop: str
    raw: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """Of its bytes, in hex."""
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def path(self) -> str:
        """Its WADO-RS address."""
        return f"{STUDIES}/{self.study}/series/{self.series}/instances/{self.sop}"


def uid(*names: object) -> str:
    """A UID that belongs to these names for ever (2.25, PS3.5 B.2)."""
    digest = hashlib.sha256("|".join(map(str, names)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:15], 'big') | 1 << 119}"


def made(study: object, number: int, *, side: int = 24, frames: int = 1) -> Made:
    """A secondary capture of `frames` x `side` x `side` bytes; other names give other bytes."""
    uids = uids_of(study, number)
    head = head_of(study, number, side=side, frames=frames)
    return Made(*uids, head + _noise(uids[2], side * side * frames))


def uids_of(study: object, number: int) -> tuple[str, str, str]:
    """Study, series (twenty objects each) and SOP Instance UID."""
    return uid("study", study), uid("series", study, number // 20), uid("sop", study, number)


def head_of(study: object, number: int, *, side: int, frames: int) -> bytes:
    """The file up to its pixels, of which `side` * `side` * `frames` bytes (even) must follow."""
    uids = uids_of(study, number)
    rows = [
        (0x0008, 0x0016, "UI", _CAPTURE),
        (0x0008, 0x0018, "UI", uids[2]),
        (0x0008, 0x0020, "DA", "20261124"),
        (0x0008, 0x0060, "CS", "OT"),
        (0x0010, 0x0010, "PN", f"Pat^{study}"),
        (0x0010, 0x0020, "LO", f"P-{study}"),
        (0x0020, 0x000D, "UI", uids[0]),
        (0x0020, 0x000E, "UI", uids[1]),
        (0x0020, 0x0011, "IS", str(number // 20 + 1)),
        (0x0020, 0x0013, "IS", str(number + 1)),
        (0x0028, 0x0002, "US", struct.pack("<H", 1)),
        (0x0028, 0x0004, "CS", "MONOCHROME2"),
        (0x0028, 0x0008, "IS", str(frames)),
        (0x0028, 0x0010, "US", struct.pack("<H", side)),
        (0x0028, 0x0011, "US", struct.pack("<H", side)),
        (0x0028, 0x0100, "US", struct.pack("<H", 8)),
        (0x0028, 0x0101, "US", struct.pack("<H", 8)),
        (0x0028, 0x0102, "US", struct.pack("<H", 7)),
        (0x0028, 0x0103, "US", struct.pack("<H", 0)),
    ]
    size = side * side * frames
    pixels = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, size + size % 2)
    return _meta(uids[2]) + b"".join(_element(*row) for row in rows) + pixels


def _meta(sop: str) -> bytes:
    rows = [
        (0x0002, 0x0001, "OB", b"\0\1"),
        (0x0002, 0x0002, "UI", _CAPTURE),
        (0x0002, 0x0003, "UI", sop),
        (0x0002, 0x0010, "UI", "1.2.840.10008.1.2.1"),
        (0x0002, 0x0012, "UI", "2.25.147723489021834990127365420981276340195"),
    ]
    meta = b"".join(_element(*row) for row in rows)
    return bytes(128) + b"DICM" + _element(2, 0, "UL", struct.pack("<I", len(meta))) + meta


def _noise(seed: str, length: int) -> bytes:
    return hashlib.shake_128(seed.encode()).digest(length + length % 2)


def _element(group: int, element: int, vr: str, value: str | bytes) -> bytes:
    raw = value if isinstance(value, bytes) else value.encode()
    if len(raw) % 2:
        raw += b"\0" if vr in ("UI", "OB") else b" "
    head = struct.pack("<HH", group, element) + vr.encode()
    size = struct.pack("<HI", 0, len(raw)) if vr in _LONG else struct.pack("<H", len(raw))
    return head + size + raw


@dataclass(frozen=True)
class Answer:
    """Status, headers and body of an answer that came whole."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def ask(
    port: int,
    method: str,
    path: str,
    *,
    token: str = "",
    body: Any = None,
    timeout: float = 60,
    **headers: str,
) -> Answer:
    """One request on a connection of its own. Raises OSError, also for half an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        names["Authorization"] = f"Bearer {token}"
    try:
        connection.request(method, path, body, names)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, found, answer.read())
    except http.client.HTTPException as broken:
        raise ConnectionResetError(type(broken).__name__) from broken
    finally:
        connection.close()


def framed(length: int) -> tuple[bytes, bytes, dict[str, str]]:
    """What stands before and behind one object of that length in a body, and the headers."""
    head = f"--{_BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    tail = f"\r\n--{_BOUNDARY}--".encode()
    whole = str(len(head) + length + len(tail))
    return head, tail, multipart([])[1] | {"Content_Length": whole}


def multipart(objects: Sequence[Made]) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a STOW-RS request."""
    head = f"--{_BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    body = b"".join(head + item.raw + b"\r\n" for item in objects) + f"--{_BOUNDARY}--".encode()
    kind = f'multipart/related; type="application/dicom"; boundary={_BOUNDARY}'
    return body, {"Content_Type": kind, "Accept": "application/dicom+json"}


def stored(answer: Answer | None) -> set[str]:
    """The SOP Instance UIDs that a store answer acknowledges (PS3.18 table 10.5.3-2)."""
    if answer is None or answer.status not in (200, 202):
        return set()
    done = answer.json.get("00081199", {}).get("Value", [])
    return {item["00081155"]["Value"][0] for item in done}


def store(port: int, token: str, objects: Sequence[Made], timeout: float = 60) -> Answer:
    """STOW-RS of these objects. Raises OSError."""
    body, headers = multipart(objects)
    return ask(port, "POST", STUDIES, token=token, body=body, timeout=timeout, **headers)


def retrieve(port: int, token: str, item: Made, timeout: float = 60) -> Answer:
    """WADO-RS of one instance, as the single part it is. Raises OSError."""
    accept = "application/dicom; transfer-syntax=*"
    return ask(port, "GET", item.path, token=token, timeout=timeout, Accept=accept)
