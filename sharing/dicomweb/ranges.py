"""Parts of a representation (RFC 9110 14): one range, strong validators, 206 and 416."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

_RANGE = re.compile(
    r"bytes=,{0,9}(?:(\d{1,99})-(\d{0,99})|-(\d{1,99})),{0,9}", re.ASCII | re.IGNORECASE
)
"""One range; a list may have empty elements, and the unit any case (RFC 9110 5.6.1, 14.1)."""
Slice = Callable[[int, int], Iterable[bytes]]


def wanted_range(request: Any, etag: str, total: int) -> tuple[int, int] | None:
    """(start, stop) of the single range asked for; None: send all.

    Several ranges, other units, and an If-Range of another version ask for all (RFC 9110 14.2).
    `stop` <= `start` where nothing of the range is there.
    """
    match = _RANGE.fullmatch(re.sub(r"[ \t]", "", request.headers.get("Range", "")))
    condition = request.headers.get("If-Range")
    if request.method != "GET" or match is None or (condition and condition != etag):
        return None
    first, last, suffix = match.groups()
    if suffix:
        return (max(0, total - int(suffix)), total) if int(suffix) else (0, 0)
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
