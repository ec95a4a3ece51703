"""The demonstration studies are DICOM that a PACS would take, and look like what they claim."""

from collections import Counter, defaultdict
from io import BytesIO
from itertools import islice

import numpy as np
import pydicom
import pytest

from sharing.demo import phantoms
from sharing.demo.phantoms import DemoStudy, studies
from tests.dciodvfy import iod_errors

# All on one worker: the studies are drawn once.
pytestmark = pytest.mark.xdist_group("demo")


def _drawn() -> list[DemoStudy]:
    return [study for study in studies() if "bundled" not in study.description]


def _read(study: DemoStudy) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(BytesIO(data)) for data in study.files]


def _find(word: str) -> DemoStudy:
    return next(study for study in _drawn() if word in study.description)


Region = list[tuple[str, list[pydicom.Dataset]]]


@pytest.fixture(scope="module")
def everything() -> Region:
    """Every drawn study with its custodian's code, made once for all tests."""
    return [(study.organization_code, _read(study)) for study in _drawn()]


def _pick(everything: Region, word: str) -> list[pydicom.Dataset]:
    return next(stack for _code, stack in everything if word in stack[0].StudyDescription)


@pytest.fixture(scope="module")
def ct_head(everything: Region) -> list[pydicom.Dataset]:
    return _pick(everything, "CT head")


@pytest.fixture(scope="module")
def head_volume(ct_head: list[pydicom.Dataset]) -> np.ndarray:
    return np.stack([ds.pixel_array.astype(np.int32) + int(ds.RescaleIntercept) for ds in ct_head])


def _heights(stack: list[pydicom.Dataset]) -> list[float]:
    return [float(ds.ImagePositionPatient[2]) for ds in stack]


def test_the_head_is_120_slices_in_order_at_equal_steps(ct_head: list[pydicom.Dataset]) -> None:
    steps = np.diff(_heights(ct_head))
    assert len(ct_head) == 120
    assert np.allclose(steps, float(ct_head[0].SliceThickness), atol=1e-3)
    assert [ds.InstanceNumber for ds in ct_head] == list(range(1, 121))


def test_the_head_is_one_series_in_one_frame_of_reference(ct_head: list[pydicom.Dataset]) -> None:
    for keyword in ("SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID", "PixelSpacing"):
        assert len({str(ds[keyword].value) for ds in ct_head}) == 1
    assert len({ds.SOPInstanceUID for ds in ct_head}) == 120


def test_the_air_round_the_head_is_air(head_volume: np.ndarray) -> None:
    corner = head_volume[:, :20, :20]
    assert abs(corner.mean() + 1000) < 10
    assert head_volume.min() >= -1024


def _around(volume: np.ndarray, x: float, y: float, z: float, size: int = 2) -> np.ndarray:
    """Voxels around a point in mm, in patient space."""
    k, j, i = round((z + 69.0) / 1.25), round((y + 116.75) / 0.9), round((x + 114.75) / 0.9)
    return volume[k - 1 : k + 2, j - size : j + size + 1, i - size : i + size + 1]


def test_skull_ventricle_brain_and_bleed_have_their_densities(head_volume: np.ndarray) -> None:
    assert head_volume[56].max() > 700
    assert _around(head_volume, 7.0, -22.0, 13.0).mean() == pytest.approx(6, abs=6)
    assert 22 < _around(head_volume, 26.0, 5.0, 34.0).mean() < 45
    assert 25 < _around(head_volume, 11.5, 8.0, 5.0).mean() < 45
    assert 55 < _around(head_volume, -27.0, -4.0, 6.0).mean() < 80


def test_grey_and_white_matter_can_be_told_apart(head_volume: np.ndarray) -> None:
    white = _around(head_volume, 26.0, 5.0, 36.0).mean()
    thalamus = _around(head_volume, 11.5, 8.0, 5.0).mean()
    assert thalamus - white > 5


def test_the_noise_of_the_head_is_small(head_volume: np.ndarray) -> None:
    assert _around(head_volume, 26.0, 5.0, 36.0, size=4).std() < 6


def test_the_lesion_of_the_brain_grows_in_a_year(everything: Region) -> None:
    bright = []
    for word, date in (("MR head", "2025"), ("follow-up", "2026")):
        flair = [ds for ds in _pick(everything, word) if ds.SeriesDescription == "FLAIR axial"]
        assert flair[0].StudyDate.startswith(date)
        stack = np.stack([ds.pixel_array for ds in flair])
        bright.append(int((stack > 620).sum()))
    assert bright[1] > 1.5 * bright[0]


def test_both_brain_studies_are_of_one_patient_and_fit_slice_by_slice(everything: Region) -> None:
    prior, current = _pick(everything, "MR head"), _pick(everything, "follow-up")
    assert prior[0].PatientID == current[0].PatientID
    assert prior[0].StudyInstanceUID != current[0].StudyInstanceUID
    assert _heights(prior) == _heights(current)
    assert len({ds.SeriesInstanceUID for ds in current}) == 3


def test_the_chest_has_lungs_blood_bone_and_a_nodule(everything: Region) -> None:
    stack = _pick(everything, "CT chest")
    volume = np.stack([ds.pixel_array.astype(int) - 1024 for ds in stack])
    heights = np.array(_heights(stack))
    spacing, left = float(stack[0].PixelSpacing[0]), float(stack[0].ImagePositionPatient[0])
    top = float(stack[0].ImagePositionPatient[1])

    def at(x: float, y: float, z: float) -> float:
        k = int(np.argmin(abs(heights - z)))
        j, i = round((y - top) / spacing), round((x - left) / spacing)
        return float(volume[k, j - 1 : j + 2, i - 1 : i + 2].mean())

    assert len(stack) == 60
    assert at(-78.0, -22.0, 42.0) > -150
    assert -950 < np.percentile(volume[heights == 42.0, 120:200, 60:110], 30) < -750
    assert at(18.0, 43.0, -30.0) > 150
    assert volume.max() > 600


def test_every_file_names_its_patient_in_unicode_with_an_issuer(
    everything: Region,
) -> None:
    for code, stack in everything:
        for ds in stack:
            assert ds.SpecificCharacterSet == "ISO_IR 192"
            assert ds.IssuerOfPatientID == phantoms.ISSUERS[code]
    names = {str(stack[0].PatientName) for _code, stack in everything}
    assert "Lin^Xiaoyan=林^晓燕" in names
    assert len(names) == 10


def test_patients_keep_one_birth_date_and_one_identifier_per_hospital(
    everything: Region,
) -> None:
    seen = defaultdict(set)
    for code, stack in everything:
        for ds in stack:
            seen[code, str(ds.PatientName)].add((ds.PatientID, ds.PatientBirthDate, ds.PatientSex))
            pydicom.valuerep.DA(ds.PatientBirthDate)
    assert all(len(facts) == 1 for facts in seen.values())


def test_no_two_files_share_an_identifier_but_the_one_that_somebody_must_decide_on(
    everything: Region,
) -> None:
    uids = Counter(ds.SOPInstanceUID for _code, stack in everything for ds in stack)
    assert [count for count in uids.values() if count > 1] == [2]
    assert all(uid.startswith("2.25.") and uid.is_valid for uid in uids)


def test_every_picture_has_a_window_and_fills_it(
    everything: Region,
) -> None:
    for _code, stack in everything:
        ds = stack[len(stack) // 2]
        pixels = ds.pixel_array
        assert pixels.max() < 2**ds.BitsStored
        assert pixels.std() > 10
        assert ds.Modality == "US" or "WindowWidth" in ds


def test_the_clip_moves(everything: Region) -> None:
    clip = next(stack[0] for _c, stack in everything if "HEART" in stack[0].BodyPartExamined)
    frames = clip.pixel_array.astype(int)
    apex = frames[:, 40:110, 310:370].mean(axis=(1, 2))
    assert frames.shape == (20, clip.Rows, clip.Columns)
    assert np.ptp(apex) > 5


def test_the_same_study_comes_out_twice_as_the_same_bytes() -> None:
    for word in ("follow-up", "Gallbladder", "Mammography", "one view", "CT chest"):
        once, again = (list(islice(_find(word).files, 2)) for _ in range(2))
        assert once == again


def test_the_studies_are_spread_over_four_hospitals_and_a_sandbox() -> None:
    codes = [study.organization_code for study in studies()]
    assert set(codes) == {"riverside", "lakeside", "mingde", "hilltop", "sandbox"}
    assert codes.count("hilltop") == 1


def test_pydicoms_own_files_come_unchanged() -> None:
    bundled = [study for study in studies() if "pydicom's bundled" in study.description]
    assert len(bundled) == 5
    for study in bundled:
        for data in study.files:
            assert data[128:132] == b"DICM"


def test_others_find_no_fault_in_any_series(everything: Region) -> None:
    """dciodvfy, on one image of each."""
    series = {ds.SeriesInstanceUID: ds for _code, stack in everything for ds in stack}
    assert len(series) > 8
    for one in series.values():
        out = BytesIO()
        pydicom.dcmwrite(out, one)
        assert iod_errors(out.getvalue()) == set(), one.SeriesDescription


def test_the_whole_region_is_small(everything: Region) -> None:
    total = sum(len(ds.PixelData) for _code, stack in everything for ds in stack)
    assert total < 65_000_000
