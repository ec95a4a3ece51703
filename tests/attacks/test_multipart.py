"""The multipart reader against bodies of others: what is legal is read, nothing else gets through.

`make soak` gives it minutes (FUZZ_SECONDS); what failed once is kept in a table.
"""

import random
import time
import tracemalloc
from os import environ

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sharing.archive.errors import UploadTooLarge
from sharing.dicomweb.parts import BadBody, MediaType, Parts
from tests.attacks.multiparts import Found, chunked, legal, ours, theirs

X = b"x"
LEGAL: list[tuple[str, bytes, Found]] = [
    ("plain", b"--x\r\nA: b\r\n\r\none\r\n--x--\r\n", [({"a": "b"}, b"one")]),
    ("a line end before the first boundary", b"\r\n--x\r\n\r\n1\r\n--x--", [({}, b"1")]),
    ("preamble and epilogue", b"pre\r\n--x\r\n\r\n1\r\n--x--\r\n--x\r\n\r\n2", [({}, b"1")]),
    ("padding", b"--x \t \r\n\r\n1\r\n--x\t\r\n\r\n2\r\n--x--  \r\n", [({}, b"1"), ({}, b"2")]),
    ("no headers, no content", b"--x\r\n\r\n\r\n--x\r\n\r\n--x--", [({}, b""), ({}, b"")]),
    ("headers only", b"--x\r\nA: b\r\n--x--", [({"a": "b"}, b"")]),
    ("folded", b"--x\r\nA: b;\r\n  c=d\r\n\r\n1\r\n--x--", [({"a": "b; c=d"}, b"1")]),
    ("the first of two", b"--x\r\nA: 1\r\na: 2\r\n\r\n\r\n--x--", [({"a": "1"}, b"")]),
    ("bare line feeds", b"--x\r\n\r\na\n--x\nb\n--x--\n\r\n--x--", [({}, b"a\n--x\nb\n--x--\n")]),
    (
        "longer lines",
        b"--x\r\n\r\na\r\n--xy\r\nb\r\n--x-\r\n--x--",
        [({}, b"a\r\n--xy\r\nb\r\n--x-")],
    ),
    ("half a boundary", b"--x\r\n\r\na\r\n-\r\n--\r\n\r\n--x--", [({}, b"a\r\n-\r\n--\r\n")]),
    ("begins so", b"--x\r\n\r\n--xy\r\n--x--", [({}, b"--xy")]),
]
BAD = [
    b"",
    b"no boundary",
    b"--x\n\n1\n--x--\n",
    b"--x",
    b"--x\r\n",
    b"--x\r\nA: b",
    b"--x\r\nA: b\r\n\r\n1",
    b"--x\r\n\r\n1\r\n--x",
    b"--x\r\n\r\n1\r\n--x-",
    b"--x\r\n\r\n1\r\n--x--y",
    b"--x\r\nno colon\r\n\r\n1\r\n--x--",
    b"--x\r\n: no name\r\n\r\n1\r\n--x--",
    b"--x\r\n" + b" " * 300 + b"\r\n1\r\n--x\r\n",
]


@pytest.mark.parametrize(("raw", "found"), [row[1:] for row in LEGAL], ids=[r[0] for r in LEGAL])
def test_what_is_legal_is_read_however_it_arrives(raw: bytes, found: Found) -> None:
    for size in (1, 2, 3, 5, 7, 1000):
        assert ours(raw, X, size) == found, size


@pytest.mark.parametrize("raw", BAD, ids=range(len(BAD)))
def test_what_is_not_is_refused_however_it_arrives(raw: bytes) -> None:
    for size in (1, 3, 1000):
        with pytest.raises(BadBody):
            ours(raw, X, size)


def test_a_boundary_has_1_to_70_letters_and_ends_in_none_blank() -> None:
    for good in (b"a", b"a" * 70, b"a b", b"'()+_,-./:=?"):
        assert ours(b"--" + good + b"\r\n\r\n1\r\n--" + good + b"--", good, 9) == [({}, b"1")]
    for bad in (b"", b"a" * 71, b"a ", b"a\r", "ä".encode()):
        with pytest.raises(BadBody):
            Parts(iter([b""]), bad, most=1)


def test_parts_and_headers_have_limits_and_are_taken_up_to_them() -> None:
    two = b"--x\r\n\r\n1\r\n--x\r\n\r\n2\r\n--x--"
    assert len(list(Parts(iter([two]), X, most=2))) == 2
    with pytest.raises(UploadTooLarge):
        list(Parts(iter([two]), X, most=1))
    for length in (20, 21):
        one = b"--x\r\nA: " + b"b" * (length - 3) + b"\r\n\r\n1\r\n--x--" + b" " * 100
        for size in (1, 8, 1000):
            parts = Parts(chunked(one, size), X, most=1, header=20)
            if length == 20:
                assert [len(part.headers["a"]) for part in parts] == [17]
            else:
                with pytest.raises(UploadTooLarge):
                    list(parts)


def test_a_part_that_nobody_reads_is_passed_over() -> None:
    parts = Parts(iter([b"--x\r\n\r\n1\r\n--x\r\n\r\n2\r\n--x--"]), X, most=5)
    assert sum(1 for _ in parts) == 2


@pytest.mark.parametrize(
    ("text", "name", "parameters"),
    [
        ("application/dicom", "application/dicom", {}),
        (" Application/DICOM ; A=B;", "application/dicom", {"a": "B"}),
        (
            'm/r; type="a/b"; boundary="a;b=\\"c\\\\"',
            "m/r",
            {"type": "a/b", "boundary": 'a;b="c\\'},
        ),
        ("m/r;boundary=a=b/c:d?;type=a/b", "m/r", {"boundary": "a=b/c:d?", "type": "a/b"}),
        ("m/r (of ours; a=b); boundary=x (c)", "m/r", {"boundary": "x"}),
        ('m/r; boundary="a (b) c"', "m/r", {"boundary": "a (b) c"}),
        ("m/r; a=1; A=2", "m/r", {"a": "1"}),
        ('m/r; boundary="open', "", {}),
        ("", "", {}),
    ],
)
def test_media_types_are_read_with_any_quoting(
    text: str, name: str, parameters: dict[str, str]
) -> None:
    found = MediaType.parse(text)
    assert (found.name, dict(found.parameters)) == (name, parameters)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(legal(), st.integers(1, 80))
def test_every_legal_body_is_read_as_pythons_own_parser_reads_it(
    drawn: tuple[bytes, bytes, Found], size: int
) -> None:
    raw, boundary, parts = drawn
    assert ours(raw, boundary, size) == parts
    assert [content for _, content in theirs(raw, boundary)] == [c for _, c in parts]


def seeds() -> list[bytes]:
    """Bodies to begin with: the tables above, and a long one."""
    long = b"--x\r\nContent-Type: application/dicom\r\n\r\n" + bytes(3000) + b"\r\n--x--\r\n"
    return [raw for _, raw, _ in LEGAL] + BAD + [long]


BITS = [b"\r\n", b"\r", b"\n", b"--x", b"--x--", b"\r\n--x", b":", b"\0", b"-", b" "]


def mutated(raw: bytes, luck: random.Random, bits: list[bytes]) -> bytes:
    """The bytes with a few of the accidents that hurt parsers; `bits` are what is put in."""
    made = bytearray(raw)
    for _ in range(luck.randint(1, 4)):
        at, kind = luck.randrange(len(made) + 1), luck.randrange(5)
        if kind == 0:
            made[at : at + luck.randrange(9)] = b""
        elif kind == 1:
            made[at:at] = luck.choice(bits)
        elif kind == 2:
            made[at:at] = made[: luck.randrange(200)]
        elif kind == 3 and at < len(made):
            made[at] ^= 1 << luck.randrange(8)
        else:
            made[at:at] = luck.choice([*bits, b"a" * 300]) * luck.randrange(9)
    return bytes(made)


def test_no_body_makes_the_reader_crash_hang_or_grow() -> None:
    """However a body is cut into chunks, the answer is one: the same parts, or the same refusal."""
    luck, begun = random.Random(20261125), time.monotonic()
    least, seconds = 1500, float(environ.get("FUZZ_SECONDS", "0"))
    rounds = 0
    while rounds < least or time.monotonic() - begun < seconds:
        rounds += 1
        raw = mutated(luck.choice(seeds()), luck, BITS)
        answers = {repr(told(raw, size)) for size in (luck.randint(1, 40), 10**6)}
        assert len(answers) == 1, raw


def told(raw: bytes, size: int) -> Found | str:
    """The parts, or the name of the refusal."""
    try:
        return ours(raw, X, size)
    except (BadBody, UploadTooLarge) as refusal:
        return type(refusal).__name__


def test_a_large_body_takes_the_memory_of_a_few_pieces() -> None:
    piece = bytes(range(256)) * 1024

    def chunks() -> object:
        yield b"--x\r\n\r\n"
        for _ in range(200):
            yield piece
        yield b"\r\n--x--"

    tracemalloc.start()
    length = sum(len(p) for part in Parts(chunks(), X, most=1) for p in part.pieces)  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert length == 200 * len(piece)
    assert peak < 8 * len(piece)
