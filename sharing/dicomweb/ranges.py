"""Parts of a representation (RFC 9110 14): one range, strong validators, 206 and 416."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
Slice = Callable[[int, int], Iterable[bytes]]


def wanted_range(request: Any, etag: str, total: int) -> tuple[int, int] | None:
    """(start, stop) of the single range asked for; None: send all.

    Several ranges, other units, and an If-Range of another version ask for all (RFC 9110 14.2).
    `stop` <= `start` where nothing of the range is there.
    """
    match = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    condition = request.headers.get("If-Range")
    if request.method != "GET" or match is None or (condition and condition != etag):
        return None
    first, last = match.groups()
    if not first:
        return (max(0, total - int(last)), total) if last and int(last) else (0, 0)
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, total) if last else total


def ranged(
    request: Any, cut: Slice, *, total: int, content_type: str, etag: str
) -> HttpResponseBase:
    """200 with all, 206 with the part asked for, or 416; `cut(start, stop)` gives the bytes."""
    part = wanted_range(request, etag, total)
    if part and part[0] >= part[1]:
        response: HttpResponseBase = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{total}"
        return response
    start, stop = part or (0, total)
    response = StreamingHttpResponse(cut(start, stop), content_type=content_type)
    if part:
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{stop - 1}/{total}"
    response["Content-Length"] = str(stop - start)
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    return response
