"""Which nodes show that one head of the log continues another (RFC 6962 2.1.2). Pure."""

from collections.abc import Callable

RootOf = Callable[[int, int], bytes]
"""The root over the leaves from the first place to before the second."""


def consistency(first: int, second: int, root_of: RootOf) -> list[bytes]:
    """What `verifier.consistent` checks. Raises ValueError unless 0 <= first <= second."""
    if not 0 <= first <= second:
        raise ValueError("the first head must not be longer than the second")
    return _part(first, 0, second, root_of, whole=True) if 0 < first < second else []


def _part(first: int, start: int, end: int, root_of: RootOf, *, whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962, over the leaves from `start` to before `end`."""
    if first == end - start:
        return [] if whole else [root_of(start, end)]
    half = split(end - start)
    if first <= half:
        inner = _part(first, start, start + half, root_of, whole=whole)
        return [*inner, root_of(start + half, end)]
    inner = _part(first - half, start + half, end, root_of, whole=False)
    return [*inner, root_of(start, start + half)]


def split(size: int) -> int:
    """The largest power of two below `size` (two or more)."""
    return 1 << ((size - 1).bit_length() - 1)
