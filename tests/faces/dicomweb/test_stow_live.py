"""Storing over the wire, on the real server: cut and odd requests, and several senders at once."""

import gzip
import json
import shutil
import socket
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
import pytest
import requests
from dicomweb_client.api import DICOMwebClient
from PIL import Image

from tests.archive.sending import dicom_files
from tests.dciodvfy import iod_errors, is_part10
from tests.faces.dicomweb.conftest import multipart
from tests.live import LivePortal

MAKE = "from tests.cast import make_organization; make_organization('stow', 'Stow Hospital')"
SMALL = "single/pydicom_CT_small.dcm"


@dataclass
class Door:
    """The store of a running portal, and one organization's token for it."""

    url: str
    token: str

    def send(self, *pieces: bytes, cut: bool = False, **headers: str) -> int:
        """A raw request; answers the status, 0 where a request that was cut got none."""
        host, port = self.url.removeprefix("http://").split(":")
        fields = {
            "Host": host,
            "Authorization": f"Bearer {self.token}",
            "Connection": "close",
            "Content-Type": 'multipart/related; type="application/dicom"; boundary=a-boundary',
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        with socket.create_connection((host, int(port)), timeout=20) as wire:
            wire.sendall(f"POST /dicomweb/studies HTTP/1.1\r\n{lines}\r\n".encode())
            for piece in pieces:
                wire.sendall(piece)
            if cut:
                wire.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: wire.recv(65536), b""))
        if answer.startswith(b"HTTP/1.1 100"):
            answer = answer.partition(b"\r\n\r\n")[2]
        return int(answer.split(b" ", 2)[1]) if answer or not cut else 0

    def found(self, query: str) -> list[dict[str, Any]]:
        """What a search answers."""
        headers = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.url}/dicomweb/{query}", headers=headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return list(json.loads(answer.read() or b"[]"))


@pytest.fixture(scope="module")
def door(live_portal: LivePortal) -> Door:
    """Another organization's than the other tests' of the same portal."""
    live_portal.manage("shell", "-c", MAKE)
    scopes = ("--scope", "dicomweb.write", "--scope", "dicomweb.read")
    token = live_portal.manage("token", "--organization", "stow", *scopes).split()[-1]
    return Door(live_portal.url, token)


def chunked(raw: bytes, size: int = 1000) -> list[bytes]:
    """The body in the chunks of HTTP/1.1, without the last, empty one."""
    cut = (raw[start : start + size] for start in range(0, len(raw), size))
    return [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in cut]


CHUNKED = {"Transfer_Encoding": "chunked"}
END = b"0\r\n\r\n"


def test_a_request_that_is_cut_or_odd_keeps_nothing_and_harms_nobody(
    door: Door, live_portal: LivePortal, real_data: Path
) -> None:
    whole = multipart((real_data / SMALL).read_bytes())
    exact = {"Content_Length": str(len(whole))}
    packed = {**CHUNKED, "Content_Encoding": "gzip"}
    for pieces, headers in (
        ([whole[:-500]], exact),
        ([b"".join(chunked(whole))[:-300]], CHUNKED),
    ):
        assert door.send(*pieces, cut=True, **headers) in (0, 400), headers
    refused: list[tuple[int, list[bytes], dict[str, str]]] = [
        (400, [whole[:-20]], {"Content_Length": str(len(whole) - 20)}),
        (400, [*chunked(whole)[:-3], END], CHUNKED),
        (400, [b"zz\r\n", whole], CHUNKED),
        (400, [*chunked(gzip.compress(whole)[:-9]), END], packed),
        (400, [], {"Content_Length": "0"}),
        (400, [], {}),
        (413, [whole], {"Content_Length": str(17 * 1024**3)}),
        (415, [whole], {**exact, "Content_Type": "image/jpeg"}),
        (415, [whole], {**exact, "Content_Encoding": "br"}),
        (406, [whole], {**exact, "Accept": "text/html"}),
    ]
    for status, pieces, headers in refused:
        assert door.send(*pieces, **headers) == status, headers
    assert door.found("instances") == []
    for pieces, headers in (
        ([whole], exact),
        ([*chunked(whole), END], CHUNKED),
        ([*chunked(gzip.compress(whole)), END], packed),
        ([whole], {**exact, "Expect": "100-continue"}),
    ):
        assert door.send(*pieces, **headers) == 200, headers
    assert len(door.found("instances")) == 1
    assert "Traceback" not in live_portal.log()


def test_four_senders_of_one_study_agree_on_its_counts(door: Door, real_data: Path) -> None:
    """Each sends its own share and the next one's again."""
    files = [path.read_bytes() for path in dicom_files(real_data / "studies/mr_wrist_j1")]
    shares = [files[start::4] for start in range(4)]

    def sender(number: int) -> list[int]:
        answers = []
        for share in (shares[number], shares[(number + 1) % 4]):
            raw = multipart(*share)
            answers.append(door.send(raw, Content_Length=str(len(raw))))
        return answers

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(sender, range(4))) == [[200, 200]] * 4
    uid = pydicom.dcmread(next(dicom_files(real_data / "studies/mr_wrist_j1"))).StudyInstanceUID
    (study,) = door.found(f"studies?StudyInstanceUID={uid}")
    assert study["00201208"]["Value"] == [len(files)]
    assert len(door.found(f"studies/{uid}/instances")) == len(files)


def test_a_partners_command_line_stores_what_dcmtk_made_and_gets_it_back(
    door: Door, real_data: Path, tmp_path: Path
) -> None:
    if not shutil.which("img2dcm"):
        pytest.skip("DCMTK is absent: make needs")
    Image.effect_noise((64, 48), 60).save(tmp_path / "a.jpg")
    made = tmp_path / "made.dcm"
    dcmtk("img2dcm", "-k", "PatientID=STOW-1", tmp_path / "a.jpg", made)
    squeezed = tmp_path / "rle.dcm"
    dcmtk("dcmcrle", "+un", real_data / SMALL, squeezed)
    assert "ReferencedSOPSequence" not in partner(door, "store", "instances", made, squeezed)
    for path in (made, squeezed):
        sent = pydicom.dcmread(path)
        (found,) = door.found(f"instances?SOPInstanceUID={sent.SOPInstanceUID}")
        uids = ("--study", sent.StudyInstanceUID, "--series", sent.SeriesInstanceUID)
        one = ("retrieve", "instances", *uids, "--instance", sent.SOPInstanceUID)
        by_name = f"StudyInstanceUID={sent.StudyInstanceUID}"
        (study,) = json.loads(partner(door, "search", "studies", "--filter", by_name))
        assert study["00100020"]["Value"] == [sent.PatientID]
        metadata = json.loads(partner(door, *one, "metadata"))
        assert metadata["00100020"] == {"vr": "LO", "Value": [sent.PatientID]}
        assert found["0020000D"]["Value"] == [sent.StudyInstanceUID]
        partner(door, *one, "full", "--save", "--output-dir", tmp_path)
        back = tmp_path / f"{sent.SOPInstanceUID}.dcm"
        assert is_part10(back.read_bytes())
        assert iod_errors(back.read_bytes()) <= iod_errors(path.read_bytes())
        assert dcmtk("dcmdump", "+P", "SOPInstanceUID", back).count(sent.SOPInstanceUID) == 1
        assert (pydicom.dcmread(back).pixel_array == sent.pixel_array).all()


def test_a_partners_client_reads_our_xml(door: Door, real_data: Path) -> None:
    """Its own reader of the Native DICOM Model, not ours."""
    session = requests.Session()
    session.trust_env = False
    headers = {"Authorization": f"Bearer {door.token}", "Accept": "application/dicom+xml"}
    client = DICOMwebClient(f"{door.url}/dicomweb", session=session, headers=headers)
    sent = pydicom.dcmread(real_data / "single/pydicom_MR_small_implicit.dcm")
    answer = client.store_instances([sent])
    assert answer.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == sent.SOPInstanceUID
    assert answer.RetrieveURL.endswith(sent.StudyInstanceUID)


def partner(door: Door, *arguments: Any) -> str:
    """dicomweb-client's own command; answers what it printed."""
    program = Path(sys.executable).parent / "dicomweb_client"
    url = ("--url", f"{door.url}/dicomweb", "--bearer-token", door.token)
    return run(program, *url, *arguments)


def dcmtk(program: str, *arguments: Any) -> str:
    """A program of DCMTK; answers what it printed."""
    return run(program, *arguments)


def run(*command: Any) -> str:
    done = subprocess.run(
        [str(word) for word in command], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
