"""Frames decoded by us and by pydicom are the same pixels; hostile ones are refused."""

import struct
import warnings
from dataclasses import replace
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.pixels import get_decoder

from sharing.dicom.decode import Image, decode_frame, image_of
from sharing.dicom.errors import CannotRender
from sharing.dicom.frames import as_native_le, frame_bytes
from sharing.dicom.scan import Scanned, plain, scan

from .corpus import Row, chosen, content, dataset, is_sample, part10, reader

# pydicom has no decoder for these without GPL plugins; three codecs agreed on them by hand.
NO_ORACLE = ("4.50", "4.51", "4.53", "4.57", "4.70", "8.1")


def _has_pixels(row: Row) -> bool:
    return is_sample(row) and row["decodable_pylibjpeg"].startswith(("yes", "native"))


def _opened(data: bytes) -> tuple[Scanned, bytes]:
    found = scan(data, size=len(data))
    return found, plain(BytesIO(data), size=len(data)).read()


@pytest.mark.parametrize("row", chosen(_has_pixels))
def test_every_first_and_last_frame_decodes_to_its_stated_size(row: Row) -> None:
    found, whole = _opened(content(row))
    image = image_of(found)
    assert found.pixel
    for index in {0, len(found.pixel.frames) - 1}:
        pixels, _ = decode_frame(image, frame_bytes(reader(whole), found.pixel, index), index)
        assert pixels.shape[:2] == (image.rows, image.columns)
        assert pixels.size * pixels.itemsize >= image.decoded_bytes


@pytest.mark.parametrize(
    "row", chosen(lambda r: _has_pixels(r) and not r["transfer_syntax"].endswith(NO_ORACLE))
)
def test_our_pixels_equal_pydicoms(row: Row) -> None:
    data = content(row)
    found, whole = _opened(data)
    index = len(found.pixel.frames) - 1 if found.pixel else 0
    frame = frame_bytes(reader(whole), found.pixel, index)
    ours, photometric = decode_frame(image_of(found), frame, index)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pydicom.dcmread(BytesIO(data), force=True)
        theirs.file_meta.TransferSyntaxUID = found.transfer_syntax
        raw = found.facts.photometric.startswith("YBR") and photometric != "RGB"
        decoder = get_decoder(found.transfer_syntax)
        expected, _ = decoder.as_array(theirs, index=index, raw=raw)
    np.testing.assert_array_equal(ours, expected)


def _encapsulated(frames: list[bytes], *, table: bool, fragments: int = 1) -> bytes:
    made = dataset(Rows=4, Columns=4, NumberOfFrames=len(frames))
    made.PixelData = encapsulate(frames, fragments_per_frame=fragments, has_bot=table)
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    return part10(made, "1.2.840.10008.1.2.4.50")


JPEGS = [b"\xff\xd8\xff" + bytes([n]) * 37 for n in range(3)]


@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("fragments", [1, 2])
def test_frames_are_told_apart_with_and_without_a_table(table: bool, fragments: int) -> None:
    data = _encapsulated(JPEGS, table=table, fragments=fragments)
    found = scan(data, size=len(data))
    got = [frame_bytes(reader(data), found.pixel, n)[:40] for n in range(3)]
    assert got == JPEGS


def test_the_extended_offset_table_is_read() -> None:
    made = dataset(NumberOfFrames=3)
    pixels, offsets, lengths = encapsulate_extended(JPEGS)
    made.PixelData, made.ExtendedOffsetTable = pixels, offsets
    made.ExtendedOffsetTableLengths = lengths
    made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    data = part10(made, "1.2.840.10008.1.2.4.50")
    found = scan(data, size=len(data))
    assert frame_bytes(reader(data), found.pixel, 2) == JPEGS[2]


def test_fragments_that_cannot_be_told_apart_are_kept_but_not_rendered() -> None:
    data = _encapsulated([b"\0" * 40] * 3, table=False, fragments=2)
    found = scan(data, size=len(data))
    assert "frames_unusable" in found.warnings
    with pytest.raises(CannotRender) as refused:
        frame_bytes(reader(data), found.pixel, 0)
    assert refused.value.code == "frames_unusable"


@pytest.mark.parametrize("index", [-1, 1, 10**9])
def test_a_frame_that_is_not_there_is_refused(index: int) -> None:
    data = part10(dataset())
    with pytest.raises(CannotRender) as refused:
        frame_bytes(reader(data), scan(data, size=len(data)).pixel, index)
    assert refused.value.code == "no_such_frame"


def test_one_bit_frames_that_share_bytes_are_cut_at_the_bit() -> None:
    bits = np.array([1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 1], np.uint8)
    made = dataset(Rows=3, Columns=3, NumberOfFrames=2, BitsAllocated=1, BitsStored=1, HighBit=0)
    made.PixelData = np.packbits(bits, bitorder="little").tobytes() + b"\0"
    data = part10(made)
    found = scan(data, size=len(data))
    frame = frame_bytes(reader(data), found.pixel, 1)
    assert decode_frame(image_of(found), frame, 1)[0].reshape(-1).tolist() == bits[9:].tolist()
    alone = np.unpackbits(np.frombuffer(as_native_le(found, frame, 1), "u1"), bitorder="little")
    assert alone[:9].tolist() == bits[9:].tolist()


def test_big_endian_frames_leave_as_little_endian(real_data: object) -> None:
    little, big = (
        _opened(content({"file": f"single/pydicom_{name}.dcm"}))
        for name in ("emri_small", "emri_small_big_endian")
    )
    frames = [
        as_native_le(found, frame_bytes(reader(whole), found.pixel, 3), 3)
        for found, whole in (little, big)
    ]
    assert frames[0] == frames[1]


def _image(**changed: object) -> Image:
    data = part10(dataset())
    return replace(image_of(scan(data, size=len(data))), **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"rows": 65535, "columns": 65535}, "over_budget"),
        ({"rows": 0}, "unsupported_pixels"),
        ({"samples": 2}, "unsupported_pixels"),
        ({"bits_stored": 99}, "unsupported_pixels"),
        ({"bits_allocated": 12}, "unsupported_pixels"),
        ({"syntax": "1.2.840.10008.1.2.4.100"}, "unsupported_pixels"),
        ({"syntax": "1.2.840.10008.1.2.5"}, "undecodable"),
        ({"syntax": "1.2.840.10008.1.2.4.50"}, "undecodable"),
        ({"syntax": "1.2.840.10008.1.2.4.90"}, "undecodable"),
        ({"syntax": "1.2.840.10008.1.2.8.1"}, "undecodable"),
    ],
)
def test_impossible_images_are_refused_with_a_code(changed: dict[str, object], code: str) -> None:
    with pytest.raises(CannotRender) as refused:
        decode_frame(_image(**changed), bytes(range(16)), 0)
    assert refused.value.code == code


def test_a_stream_larger_than_the_data_set_says_is_refused_before_decoding() -> None:
    huge = b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 11, 8, 65000, 65000, 1) + bytes(20)
    with pytest.raises(CannotRender) as refused:
        decode_frame(_image(syntax="1.2.840.10008.1.2.4.50"), huge, 0)
    assert refused.value.code == "undecodable"
    sides = struct.pack(">IIIIIIII", 60000, 60000, 0, 0, 60000, 60000, 0, 0)
    size = struct.pack(">HH", 41, 0) + sides + struct.pack(">HBBB", 1, 7, 1, 1)
    with pytest.raises(CannotRender):
        decode_frame(_image(syntax="1.2.840.10008.1.2.4.90"), b"\xff\x4f\xff\x51" + size, 0)
