"""Tables that leave as CSV (RFC 4180), and can't make a spreadsheet calculate. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What spreadsheets take for the beginning of a formula, wide letters included."""


def as_csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """UTF-8 with a byte order mark, since spreadsheets ask for one; each cell in quotes."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([cell(word) for word in head])
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def cell(value: object) -> str:
    """The value as text; an apostrophe keeps what looks like a formula from being one."""
    text = str(value)
    return f"'{text}" if text.lstrip(" \u00a0\ufeff").startswith(STARTS) else text
