"""The studies of the demonstration region: who was imaged where, and the files that came of it.

Nobody here exists. The pictures are drawn from formulas (`volumes/`), but for the few that
pydicom ships inside its wheel; the same bytes come out every time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom.data import get_testdata_file

from sharing.demo.acquisitions import cr_chest, ct_chest, ct_head, mg_screening, mr_brain, us_cine
from sharing.demo.dicomfile import Person, StudyFacts
from sharing.demo.volumes.head import Finding
from sharing.demo.volumes.ultrasound import gallbladder, heart

ISSUERS = {
    "riverside": "RV", "hilltop": "HT", "lakeside": "LS", "mingde": "MD", "sandbox": "SB",
}  # fmt: skip
INSTITUTIONS = {
    "riverside": "Riverside General Hospital",
    "hilltop": "Hilltop Family Clinic",
    "lakeside": "Lakeside Imaging Centre",
    "mingde": "Mingde Hospital 明德医院",
    "sandbox": "Sandbox Test Systems",
}

BLEED = (
    Finding("blood", (-27.0, -4.0, 6.0), 13.0, 7.0),
    Finding("blood", (-22.0, 40.0, 4.0), 3.0, 0.0),
)
GLIOMA_2025 = (Finding("lesion", (30.0, -26.0, 30.0), 6.0, 5.0),)
GLIOMA_2026 = (Finding("lesion", (30.0, -27.0, 30.0), 10.5, 11.0),)

BUNDLED = (
    ("mingde", "pydicom's bundled example files: CT", ("CT_small.dcm",)),
    ("lakeside", "pydicom's bundled example files: MR", ("MR_small.dcm",)),
    ("mingde", "pydicom's bundled example files: US, colour",
     ("examples_rgb_color.dcm", "examples_jpeg2k.dcm")),
    ("lakeside", "pydicom's bundled example files: US, a clip in YBR", ("examples_ybr_color.dcm",)),
    ("riverside", "pydicom's bundled example files: radiotherapy dose", ("rtdose.dcm",)),
)  # fmt: skip


@dataclass(frozen=True)
class DemoStudy:
    """One study to load: the custodian's code, what it is, and its files as Part 10 bytes."""

    organization_code: str
    description: str
    files: Iterator[bytes]


def _person(code: str, name: str, born: str, sex: str, identifier: str) -> Person:
    return Person(name, born, sex, identifier, ISSUERS[code])


LIN = ("Lin^Xiaoyan=林^晓燕", "19710314", "F")
MOREAU = ("Moreau^Pat", "19580602", "M")
SCHMIDT = ("Schmidt^Jonas", "19970118", "M")
OKAFOR = ("Okafor^Amara", "19920527", "F")
CHEN = ("Chen^Guoliang=陈^国良", "19550909", "M")
BAKER = ("Baker^Ruth", "19790811", "F")
ZHAO = ("Zhao^Min=赵^敏", "19680228", "F")
EXAMPLE = ("Example^Max", "19700101", "O")
SAMPLE = ("Sample^Anna=样^安娜", "19850630", "F")
WANG = ("Wang^Jun=王^军", "19631204", "M")


def _study(
    code: str, who: tuple[str, str, str], identifier: str, when: str, what: str, accession: str
) -> StudyFacts:
    """`when` is YYYYMMDDHHMM."""
    return StudyFacts(
        key=f"{code}/{accession}",
        person=_person(code, *who, identifier),
        institution=INSTITUTIONS[code],
        date=when[:8],
        time=when[8:] + "00",
        description=what,
        accession=accession,
    )


Maker = Callable[[StudyFacts], Iterator[bytes]]


def _plan() -> Iterator[tuple[str, StudyFacts, Maker]]:
    """Every drawn study with its custodian; nothing is painted until its files are read."""
    yield from _riverside()
    yield from _lakeside()
    yield from _mingde()
    baker = _study("hilltop", BAKER, "00733-05", "202611171020", "Gallbladder US", "HT-2217")
    yield "hilltop", baker, lambda s: us_cine(s, gallbladder, "Gallbladder", "ABDOMEN", 6, 92)
    yield from _sandbox()


def _riverside() -> Iterator[tuple[str, StudyFacts, Maker]]:
    code = "riverside"
    pat, jonas = (code, MOREAU, "204 9120"), (code, SCHMIDT, "204 7031")
    study = _study(*pat, "202611211524", "CT head without contrast", "RV2611-0412")
    yield code, study, lambda s: ct_head(s, BLEED, 11)
    study = _study(*pat, "202611211610", "Chest, two views", "RV2611-0413")
    yield code, study, lambda s: _mirrored_too(cr_chest(s, 21, views=("PA", "LATERAL")))
    study = _study(code, LIN, "204 8817", "202611121024", "CT chest with contrast", "RV2611-0208")
    yield code, study, lambda s: ct_chest(s, 31)
    study = _study(*jonas, "202511101415", "MR head", "RV2511-0127")
    yield code, study, lambda s: mr_brain(s, GLIOMA_2025, 41)
    study = _study(*jonas, "202611140930", "MR head, follow-up", "RV2611-0251")
    yield code, study, lambda s: mr_brain(s, GLIOMA_2026, 42)


def _mirrored_too(files: Iterator[bytes]) -> Iterator[bytes]:
    """The first file once more under its own identifier, turned round: somebody has to decide."""
    first = next(files)
    yield first
    yield from files
    again = dcmread(BytesIO(first))
    again.SeriesDescription = f"{again.SeriesDescription}, side corrected"
    again.PatientOrientation = ["R", "F"]
    again.PixelData = again.pixel_array[:, ::-1].tobytes()
    again["PixelData"].VR = "OW"
    made = BytesIO()
    again.save_as(made)
    yield made.getvalue()


def _lakeside() -> Iterator[tuple[str, StudyFacts, Maker]]:
    code = "lakeside"
    study = _study(code, OKAFOR, "L-10233", "202611201105", "Echocardiogram", "LS-88120")
    yield code, study, lambda s: us_cine(s, heart, "Apical four chambers", "HEART", 20, 51)
    study = _study(code, ZHAO, "L-09871", "202611091340", "Mammography screening", "LS-87655")
    yield code, study, lambda s: mg_screening(s, 61)
    study = _study(code, LIN, "L-04418", "202402031115", "Chest, one view", "LS-61207")
    yield code, study, lambda s: cr_chest(s, 71, views=("PA",), size=1.08)


def _mingde() -> Iterator[tuple[str, StudyFacts, Maker]]:
    code = "mingde"
    study = _study(code, CHEN, "M0031877", "202611180845", "胸部正侧位 Chest", "MD26111807")
    yield code, study, lambda s: cr_chest(s, 81, views=("PA", "LATERAL"), size=1.04)
    study = _study(code, WANG, "M0029140", "202610291610", "腹部超声 Abdomen", "MD26102931")
    yield code, study, lambda s: us_cine(s, gallbladder, "胆囊 Gallbladder", "ABDOMEN", 8, 91)


def _sandbox() -> Iterator[tuple[str, StudyFacts, Maker]]:
    """For partners who try their software: small, and of nobody."""
    code = "sandbox"
    study = _study(code, EXAMPLE, "SB-0001", "202611230900", "Chest, one view", "SB-1001")
    yield code, study, lambda s: cr_chest(s, 101, views=("PA",))
    study = _study(code, SAMPLE, "SB-0002", "202611231030", "Gallbladder US", "SB-1002")
    yield code, study, lambda s: us_cine(s, gallbladder, "Gallbladder", "ABDOMEN", 2, 102)


def studies() -> Iterator[DemoStudy]:
    """All demonstration studies, drawn ones first; files are made as they are read."""
    for code, facts, make in _plan():
        yield DemoStudy(code, facts.description, make(facts))
    for code, description, names in BUNDLED:
        yield DemoStudy(code, description, _bundled(names))


def _bundled(names: tuple[str, ...]) -> Iterator[bytes]:
    for name in names:
        path = get_testdata_file(name, download=False)
        if not isinstance(path, str):
            raise FileNotFoundError("pydicom's wheel lacks one of its example files")
        yield Path(path).read_bytes()
