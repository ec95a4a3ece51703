"""The partners' client, against the portal as it is served."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import live
from tests.faces.fhir import documents


@dataclass
class Partner:
    """A machine of Sandbox Test Systems: the portal's address, a token, files to send."""

    url: str
    token: str
    folder: Path


SANDBOX = """
from tests.cast import make_organization, make_patient, make_study
sandbox = make_organization("sandbox", "Sandbox Test Systems")
patient = make_patient(sandbox, "SB-0001", name="Example^Max")
make_study(patient, description="Chest, one view")
"""


@pytest.fixture(scope="session")
def partner(live_portal: live.LivePortal, tmp_path_factory: pytest.TempPathFactory) -> Partner:
    """Who may read and send, with a folder of documents."""
    live_portal.manage("shell", "--no-imports", "-c", SANDBOX)
    scopes = [part for s in ("studies.read", "uploads.write") for part in ("--scope", s)]
    token = live_portal.manage("token", "--organization", "sandbox", *scopes).strip()
    folder = tmp_path_factory.mktemp("sent")
    documents.all_kinds(folder)
    (folder / "notes.txt").write_text("not DICOM")
    return Partner(live_portal.url, token, folder)


@pytest.fixture
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where a login is kept."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("IMAGING_SHARING_TOKEN", raising=False)
    return tmp_path / "imaging-sharing" / "login.json"
