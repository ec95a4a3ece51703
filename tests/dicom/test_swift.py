"""The swift reader gives up, or says word for word what the thorough scan says."""

import base64
import os
import random
import time
import zlib
from io import BytesIO
from pathlib import Path

import pytest

from sharing.dicom import fragments
from sharing.dicom.digest import Digest, thorough
from sharing.dicom.errors import BadDicom
from sharing.dicom.fragments import Unusual
from sharing.dicom.scan import scan
from sharing.dicom.swift import HEAD, TooShort, digested, swift

from .corpus import content, rows
from .seeds import FOUND, seeds

SECONDS = float(os.environ.get("FUZZ_SECONDS", "6"))
SEEDS = seeds()
INTERESTING = (
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\xfe\xff\xdd\xe0\0\0\0\0",
    b"UN",
    b"SQ",
    b"OB",
)


def slowly(raw: bytes, charset: str | None = None) -> Digest | str:
    """The thorough scan's digest, or the code of its refusal."""
    try:
        return thorough(scan(raw, size=len(raw), default_charset=charset))
    except BadDicom as wrong:
        return wrong.code


def swiftly(raw: bytes, most: int, charset: str | None = None) -> Digest | None:
    """What the swift reader makes of the first `most` bytes; None where it gives up."""
    try:
        return swift(raw[:most], size=len(raw), default_charset=charset)
    except (Unusual, TooShort):
        return None


def agree(raw: bytes, most: int, charset: str | None = None) -> bool:
    """Whether the swift reader took it. Asserts that it said nothing else."""
    found = swiftly(raw, most, charset)
    if found is None:
        return False
    assert found == slowly(raw, charset)
    return True


def whole_or_code(raw: bytes, *pieces: bytes) -> Digest | str:
    """What an archive gets to know of a file that comes in pieces."""
    try:
        return digested(pieces, size=len(raw), whole=lambda: BytesIO(raw), default_charset=None)
    except BadDicom as wrong:
        return wrong.code


def test_every_real_file_reads_the_same(real_data: Path) -> None:
    """Images of a series share what is remembered, in whatever order they come."""
    files = [row for row in rows() if not row["file"].endswith(".zip")]
    random.Random(1).shuffle(files)
    taken = 0
    for row in files[:400]:
        raw = content(row)
        taken += agree(raw, HEAD) or agree(raw, len(raw))
    assert taken > 100


@pytest.mark.parametrize("name", SEEDS)
def test_what_is_common_is_read_swiftly(name: str) -> None:
    raw = SEEDS[name]
    assert agree(raw, len(raw))
    assert agree(raw, len(raw))  # from memory, now


def test_a_file_in_pieces_reads_the_same() -> None:
    for raw in SEEDS.values():
        told = slowly(raw)
        for cut in (0, 1, 131, 200, len(raw) - 20, len(raw)):
            assert whole_or_code(raw, raw[:cut], raw[cut:]) == told
            assert whole_or_code(raw, raw[:cut]) == told  # of a large file only the first are kept


def test_pixels_need_not_be_at_hand() -> None:
    raw = SEEDS["plain"]
    assert agree(raw, len(raw) - 16)
    with pytest.raises(TooShort):
        swift(raw[: len(raw) - 40], size=len(raw), default_charset=None)


def test_text_of_other_character_sets_is_not_mistaken_for_what_is_remembered() -> None:
    """The same bytes under another character set, declared or assumed, are other words."""
    raw = SEEDS["latin"]
    greek = raw.replace(b"ISO_IR 100", b"ISO_IR 126")
    first, second = swiftly(raw, len(raw)), swiftly(greek, len(greek))
    assert first
    assert second
    assert first.facts.patient_name != second.facts.patient_name
    assert agree(greek, len(greek))
    assert agree(raw, len(raw))


def test_what_is_remembered_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "MEMO_BYTES", 3000)
    fragments.charset_and_memo.cache_clear()
    memo = fragments.charset_and_memo(b"", None)[1]
    for raw in SEEDS.values():
        agree(raw, len(raw))
        assert sum(map(len, memo)) <= 3000


@pytest.mark.parametrize("name", FOUND)
def test_what_once_differed_does_so_no_more(name: str) -> None:
    raw = zlib.decompress(base64.b64decode(FOUND[name]))
    agree(raw, len(raw))


def mutated(raw: bytes, luck: random.Random) -> bytes:
    """The same with a few wounds: flipped, cut out, doubled, or with interesting bytes in it."""
    made = bytearray(raw)
    for _ in range(luck.choice((1, 1, 1, 2, 3))):
        at = luck.randrange(128, len(made)) if len(made) > 128 else 0
        kind = luck.randrange(5)
        if kind == 0:
            made[at : at + 1] = bytes([luck.randrange(256)])
        elif kind == 1:
            word = luck.choice(INTERESTING)
            made[at : at + len(word)] = word
        elif kind == 2:
            del made[at : at + luck.choice((1, 2, 8, 40))]
        elif kind == 3:
            made[at:at] = made[max(0, at - luck.choice((8, 20))) : at]
        else:
            del made[at:]
    return bytes(made)


def test_mutated_files_read_the_same() -> None:
    """As long as FUZZ_SECONDS says (`make soak`: ten minutes); the time is the bound, not the wish.

    What differs is printed as a line for seeds.FOUND.
    """
    number, taken, luck = 0, 0, random.Random(int(os.environ.get("FUZZ_SEED", "7")))
    names, until = sorted(SEEDS), time.monotonic() + SECONDS
    while time.monotonic() < until:
        raw = mutated(SEEDS[luck.choice(names)], luck)
        most = luck.choice((len(raw), HEAD, 300, 700))
        number += 1
        try:
            taken += agree(raw, most, luck.choice((None, "ISO_IR 144")))
        except BaseException:
            print(base64.b64encode(zlib.compress(raw)).decode())
            raise
    assert taken > number / 20
