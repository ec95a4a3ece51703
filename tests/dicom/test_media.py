"""ZIPs that strangers send: what is taken, what is refused, and what it may cost."""

import stat
import struct
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharing.dicom.errors import BadDicom, BadMedia
from sharing.dicom.media import Entry, MediaLimits, entries
from sharing.dicom.scan import scan

from .corpus import dataset, part10

GOOD = part10(dataset())


def _read(source: BytesIO, limits: MediaLimits | None = None) -> list[tuple[Entry, bytes]]:
    return [(entry, _all(entry)) for entry in entries(source, limits)]


def _all(entry: Entry) -> bytes:
    parts = []
    while entry.stream and (part := entry.stream.read()):
        parts.append(part)
    return b"".join(parts)


def _taken(data: bytes) -> tuple[int, set[str | None], list[str]]:
    """Instances that scan, reasons of what was refused, and the names of what was ignored."""
    taken, reasons, ignored = 0, set(), []
    for entry, content in _read(BytesIO(data)):
        if entry.kind == "file":
            scan(content, size=len(content))
            taken += 1
        elif entry.kind == "refused":
            reasons.add(entry.reason)
        elif entry.kind == "ignored":
            ignored.append(entry.name)
    return taken, reasons, ignored


def _zip(*files: tuple[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", packing) as made:
        for name, content in files:
            made.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "taken", "reasons", "ignored"),
    [
        ("broken/z_bomb_nested.zip", 0, {"zip_nested"}, 0),
        ("broken/z_mixed_clutter.zip", 3, set(), 5),
        ("broken/z_slip.zip", 1, {"unsafe_name"}, 0),
        ("broken/z_symlink.zip", 1, {"unsafe_link"}, 0),
        ("media/cd_fileset_two_mr.zip", 24, set(), 3),
        ("media/cd_real_dicomdir_3patients.zip", 31, set(), 0),
    ],
)
def test_real_zips_give_what_they_should(
    name: str, taken: int, reasons: set[str], ignored: int, real_data: Path
) -> None:
    got = _taken((real_data / name).read_bytes())
    assert (got[0], got[1], len(got[2])) == (taken, reasons, ignored)


def test_a_cut_zip_is_refused(real_data: Path) -> None:
    with pytest.raises(BadMedia) as refused:
        _taken((real_data / "broken/z_truncated.zip").read_bytes())
    assert refused.value.code == "not_a_zip"


def test_the_deeply_nested_file_in_its_zip_is_refused(real_data: Path) -> None:
    with pytest.raises(BadDicom) as refused:
        _taken((real_data / "broken/real_deeply_nested.zip").read_bytes())
    assert refused.value.code == "too_deep"


def test_names_in_chinese_are_shown_right_whatever_the_zip_says(real_data: Path) -> None:
    data = (real_data / "broken/z_mixed_clutter.zip").read_bytes()
    assert any(entry.name.startswith("患者资料/") for entry, _ in _read(BytesIO(data)))


@pytest.mark.parametrize(
    "name", ["../a.dcm", "/a.dcm", "a/../../b.dcm", "..\\a.dcm", "C:\\a.dcm", "C:/a.dcm", "\\a"]
)
def test_names_that_leave_the_folder_are_refused(name: str) -> None:
    (entry, content), (other, _) = _read(BytesIO(_zip((name, GOOD), ("ok.dcm", GOOD))))
    assert (entry.kind, entry.reason, content) == ("refused", "unsafe_name", b"")
    assert other.kind == "file"


def test_a_name_with_nul_is_refused() -> None:
    data = _zip(("abXcd.dcm", GOOD)).replace(b"abXcd.dcm", b"ab\0cd.dcm")
    assert [entry.reason for entry, _ in _read(BytesIO(data))] == ["unsafe_name"]


def test_windows_folders_are_folders() -> None:
    assert _taken(_zip(("DICOM\\IM1", GOOD)))[0] == 1


def test_links_and_devices_are_refused() -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for kind in (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFBLK):
            info = zipfile.ZipInfo(f"{kind}.dcm")
            info.external_attr = (kind | 0o644) << 16
            made.writestr(info, GOOD)
    assert {entry.reason for entry, _ in _read(out)} == {"unsafe_link"}


def test_an_entry_that_expands_too_much_ends_the_zip() -> None:
    bomb = _zip(("a.dcm", GOOD[:200] + bytes(40_000_000)))
    with pytest.raises(BadMedia) as refused:
        _read(BytesIO(bomb))
    assert refused.value.code == "zip_ratio"


def test_entries_bytes_and_totals_are_capped() -> None:
    three = _zip(*((f"{n}.dcm", GOOD) for n in range(3)))
    for limits, code in (
        (MediaLimits(entries=2), "too_many_entries"),
        (MediaLimits(entry_bytes=100), "zip_too_large"),
        (MediaLimits(total_bytes=len(GOOD) * 2), "zip_too_large"),
    ):
        with pytest.raises(BadMedia) as refused:
            _read(BytesIO(three), limits)
        assert refused.value.code == code


def _damaged(content: bytes) -> BytesIO:
    data = bytearray(_zip(("a.dcm", content), packing=zipfile.ZIP_STORED))
    data[30 + len("a.dcm") + 200] ^= 0xFF
    return BytesIO(bytes(data))


def test_a_small_damaged_entry_is_refused_at_once() -> None:
    assert [entry.reason for entry, _ in _read(_damaged(GOOD))] == ["zip_damaged"]


def test_a_large_damaged_entry_says_so_while_it_is_read() -> None:
    with pytest.raises(BadMedia) as refused:
        _read(_damaged(GOOD + bytes(200_000)))
    assert refused.value.code == "zip_damaged"


def test_an_encrypted_entry_is_refused_with_words() -> None:
    data = bytearray(_zip(("a.dcm", GOOD)))
    central = data.rfind(b"PK\x01\x02")
    struct.pack_into("<H", data, central + 8, 1)
    assert [entry.reason for entry, _ in _read(BytesIO(bytes(data)))] == ["zip_encrypted"]


def test_clutter_that_is_dicom_is_taken_all_the_same() -> None:
    both = _zip(("viewer.exe", GOOD), ("readme.txt", b"words"))
    assert _taken(both) == (1, set(), ["readme.txt"])


def _is_read_or_refused(data: bytes) -> bool:
    try:
        _read(BytesIO(data))
    except BadMedia as refused:
        return refused.reason.endswith(".")
    return True


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_mutated_zips_are_read_or_refused_and_never_crash(data: st.DataObject) -> None:
    whole = bytearray(_zip(("a/DICOMDIR", GOOD), ("b.dcm", GOOD), ("c.txt", b"x")))
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    assert _is_read_or_refused(bytes(whole))
