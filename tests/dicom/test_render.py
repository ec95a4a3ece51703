"""Pictures: every decodable file gives one, and brightness follows the standard."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image as Pillow
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from sharing.dicom.child import render_in_child, shutdown, thumbnail_in_child
from sharing.dicom.drawing import How
from sharing.dicom.errors import CannotRender
from sharing.dicom.render import (
    Picture,
    picture_of,
    render,
    render_frame,
    shown_pixels,
    size_of_jpeg,
    thumbnail,
)
from sharing.dicom.scan import plain, scan

from .corpus import Row, chosen, content, dataset, is_sample, part10, reader


def _picture(data: bytes, index: int = 0) -> Picture:
    found = scan(data, size=len(data))
    return picture_of(found, reader(plain(BytesIO(data), size=len(data)).read()), None, index)


def _shown(made: Dataset, window: tuple[float, float, str] | None = None) -> np.ndarray:
    return shown_pixels(_picture(part10(made)), window)


def _decodable(row: Row) -> bool:
    answers = row["decodable_pylibjpeg"], row["decodable_gdcm"]
    return is_sample(row) and any(a and not a.startswith(("no:", "n/a")) for a in answers)


def _without_pixels(row: Row) -> bool:
    return is_sample(row) and row["decodable_gdcm"].startswith("n/a")


@pytest.mark.parametrize("row", chosen(_decodable))
def test_every_decodable_file_gives_a_thumbnail(row: Row) -> None:
    made = thumbnail(_picture(content(row)))
    assert size_of_jpeg(made) == (128, 128)
    assert len(made) < 6 * 1024


@pytest.mark.parametrize("row", chosen(_without_pixels))
def test_reports_and_plans_have_no_picture_and_say_so(row: Row) -> None:
    with pytest.raises(CannotRender) as refused:
        _picture(content(row))
    assert refused.value.code == "no_pixels"


@pytest.mark.parametrize("name", ["m_j2k_noise", "m_rle_bad_header", "real_badVR"])
def test_damaged_pixels_are_refused_and_nothing_else_happens(name: str, real_data: object) -> None:
    with pytest.raises(CannotRender):
        render(_picture(content({"file": f"broken/{name}.dcm"})))


def test_the_first_window_decides_brightness() -> None:
    made = dataset(WindowCenter=["8", "100"], WindowWidth=["8", "5"])
    shown = _shown(made).reshape(-1)
    assert shown[0] == 0
    assert shown[15] == 255
    assert shown[8] == round(((8 - 7.5) / 7 + 0.5) * 255)


def test_a_window_that_is_asked_for_goes_first() -> None:
    made = dataset(WindowCenter="8", WindowWidth="8")
    assert set(_shown(made, (1000.0, 10.0, "LINEAR")).reshape(-1)) == {0}
    exact = _shown(made, (8.0, 16.0, "LINEAR_EXACT")).reshape(-1)
    assert exact[4] == round(0.25 * 255)
    assert _shown(made, (8.0, 4.0, "SIGMOID")).reshape(-1)[8] == 128


def test_monochrome1_is_the_negative() -> None:
    made = {"WindowCenter": "8", "WindowWidth": "8"}
    plain_one = _shown(dataset(**made))
    negative = _shown(dataset(**made, PhotometricInterpretation="MONOCHROME1"))
    np.testing.assert_array_equal(plain_one, 255 - negative)


def test_rescale_comes_before_the_window() -> None:
    made = dataset(RescaleSlope="2", RescaleIntercept="-16", WindowCenter="0", WindowWidth="2")
    assert (_shown(made).reshape(-1) == [0] * 8 + [255] * 8).sum() >= 15


def test_signed_values_below_zero_are_dark() -> None:
    values = np.array([-1000, -1, 0, 1000] * 4, "<i2")
    made = dataset(BitsAllocated=16, BitsStored=16, HighBit=15, PixelRepresentation=1)
    made.PixelData = values.tobytes()
    made["PixelData"].VR = "OW"
    shown = _shown(made).reshape(-1)
    assert shown[0] < shown[1] <= shown[2] < shown[3]


def test_enhanced_frames_have_their_own_window() -> None:
    def groups(center: str) -> Dataset:
        window, item = Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth = center, "1"
        item.FrameVOILUTSequence = Sequence([window])
        return item

    made = dataset(NumberOfFrames=2, PixelData=bytes([100] * 32))
    made.PerFrameFunctionalGroupsSequence = Sequence([groups("50"), groups("150")])
    data = part10(made)
    first, second = (shown_pixels(_picture(data, index), None) for index in (0, 1))
    assert (first.max(), second.max()) == (255, 0)


def test_a_palette_gives_colours() -> None:
    made = dataset(PhotometricInterpretation="PALETTE COLOR")
    for n, colour in enumerate(("Red", "Green", "Blue")):
        setattr(made, f"{colour}PaletteColorLookupTableDescriptor", [16, 0, 16])
        table = np.zeros(16, "<u2")
        table[n] = 65535
        setattr(made, f"{colour}PaletteColorLookupTableData", table.tobytes())
    shown = _shown(made).reshape(-1, 3)
    assert shown[:4].tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255], [0, 0, 0]]


def test_ybr_becomes_rgb() -> None:
    made = dataset(SamplesPerPixel=3, PhotometricInterpretation="YBR_FULL", PlanarConfiguration=0)
    made.PixelData = bytes([76, 85, 255] * 16)
    assert np.abs(_shown(made).reshape(-1, 3)[0].astype(int) - [255, 0, 0]).max() <= 2


@pytest.mark.parametrize("size", [(8, 8), (2, 9), (9, 2), (1, 1)])
def test_a_picture_fits_the_box_and_keeps_its_shape(size: tuple[int, int]) -> None:
    data = part10(dataset())
    made = render(_picture(data), How(size=size))
    side = min(size)
    assert size_of_jpeg(made) == (side, side)


def test_a_thumbnail_is_letterboxed_on_black() -> None:
    data = part10(dataset(Rows=2, Columns=8, PixelData=bytes([255] * 16)))
    with Pillow.open(BytesIO(thumbnail(_picture(data)))) as opened:
        shown = np.asarray(opened)
    assert shown[0].max() < 10
    assert shown[64].min() > 240


@pytest.mark.parametrize("slope", ["1e308", "-1e308", "1e-300", "0"])
def test_absurd_numbers_make_a_picture_or_a_refusal_but_no_warning(slope: str) -> None:
    made = dataset(RescaleSlope=slope, RescaleIntercept="1e308")
    assert _shown(made).shape == (4, 4)


def test_render_frame_is_picture_and_render_in_one() -> None:
    data = part10(dataset())
    found = scan(data, size=len(data))
    assert render_frame(found, reader(data), found.pixel, 0) == render(_picture(data))


def test_a_child_gives_the_same_picture_and_survives_a_refusal() -> None:
    good = _picture(part10(dataset()))
    bad = Picture(good.image, good.grey, b"", 0)
    try:
        assert render_in_child(good) == render(good)
        with pytest.raises(CannotRender) as refused:
            render_in_child(bad)
        assert refused.value.code == "undecodable"
        assert thumbnail_in_child(good) == thumbnail(good)
    finally:
        shutdown()


def test_a_child_that_is_too_slow_is_ended_and_replaced() -> None:
    good = _picture(part10(dataset()))
    try:
        with pytest.raises(CannotRender) as refused:
            render_in_child(good, How(size=(6000, 6000)), seconds=0.01)  # a second of work
        assert refused.value.code == "took_too_long"
        assert render_in_child(good) == render(good)
    finally:
        shutdown()
