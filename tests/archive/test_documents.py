"""Ready-made metadata is a cache beside the rows: never stale, never torn, never for ever."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from sharing.archive import documents
from sharing.archive.documents import Sheet
from sharing.archive.models import Instance, Series
from sharing.archive.rules import Why
from sharing.archive.services import describing
from sharing.archive.services.describing import describe
from sharing.archive.services.locating import Asker, Where
from sharing.archive.services.removing import delete_study
from sharing.kernel.purposes import Action
from sharing.tenants.rules import Role
from tests.archive.sending import send, uid_of
from tests.cast import NOW, Region, make_person

pytestmark = pytest.mark.usefixtures("own_documents")


@pytest.fixture
def sheet(region: Region, real_data: Path) -> Sheet:
    """The document of a stored CT series."""
    return sheet_of(region, real_data / "single/pydicom_CT_small.dcm")


def sheet_of(region: Region, path: Path) -> Sheet:
    """Ada asks for the series of that file, stored first if it is not."""
    send(region, path)
    series = Series.objects.get(study__study_uid=uid_of(path))
    where = Where(uid_of(path), series.series_uid)
    asker = Asker(region.ada.actor, Action.IMAGES, NOW)
    return describe(asker, where, mount="http://x/o/{}").sheets[0]


def text(sheet: Sheet) -> bytes:
    """The plain document; the packed one says the same."""
    with documents.opened(sheet, packed=False) as plain, documents.opened(sheet, packed=True) as gz:
        found = plain.read()
        assert gzip.decompress(gz.read()) == found
        return found


def test_a_document_is_made_once_and_anew_when_the_series_changes(
    region: Region, sheet: Sheet, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = text(sheet)
    assert len(json.loads(before)) == 1
    with monkeypatch.context() as once:
        once.setattr(documents, "build", lambda sheet: pytest.fail("made twice"))
        assert text(sheet) == before
    Series.objects.filter(pk=sheet.series).update(version=sheet.version + 1)
    again = sheet_of(region, real_data / "single/pydicom_CT_small.dcm")
    assert again.stamp != sheet.stamp
    Instance.objects.filter(series_id=sheet.series).delete()
    assert text(again) == b"[]"
    assert not sheet.path.exists(), "the old version is gone"


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("kept", [0, 100])
def test_a_document_that_lost_its_end_is_made_again(sheet: Sheet, ending: str, kept: int) -> None:
    whole = text(sheet)
    os.truncate(f"{sheet.path}{ending}", kept)
    assert text(sheet) == whole


def test_the_folder_keeps_its_bound_and_no_half_written_thing(
    sheet: Sheet, own_documents: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text(sheet)
    draft, old = own_documents / "00/cafe.json", own_documents / "00/9999-old.json"
    draft.parent.mkdir(exist_ok=True)
    for path in (draft, old):
        path.write_bytes(b"x" * 1000)
        os.utime(path, (1, 1))
    settings.DOCUMENTS_MOST = sum(
        p.stat().st_size for p in own_documents.rglob(f"{sheet.series}-*")
    )
    monkeypatch.setitem(documents._PRUNED, "at", 0.0)
    documents.prune(at=1e9)
    assert not draft.exists()
    assert not old.exists()
    assert sheet.path.exists()


def test_a_deleted_study_leaves_no_document_behind(
    region: Region, sheet: Sheet, own_documents: Path, django_capture_on_commit_callbacks: Any
) -> None:
    text(sheet)
    clerk = make_person("Nora Lind", region.riverside, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR)
    study = Series.objects.get(pk=sheet.series).study
    with django_capture_on_commit_callbacks(execute=True):
        delete_study(clerk.actor, public_id=study.public_id, why=next(iter(Why)), at=NOW)
    assert [path for path in own_documents.rglob("*") if path.is_file()] == []


def test_a_study_of_thousands_is_made_and_sent_in_pieces(
    sheet: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more than some instances' metadata is in memory at once."""
    one = Instance.objects.get()
    for number in range(7):
        one.pk, one.sop_uid, one.number = None, f"1.2.3.{number}", number
        one.save()
    monkeypatch.setattr(documents, "AT_ONCE", 3)
    monkeypatch.setattr(describing, "PIECE", 1000)
    pieces = list(describing.joined((sheet, sheet)))
    assert max(map(len, pieces)) <= 1001
    told = json.loads(b"".join(pieces))
    assert describing.joined_length((sheet, sheet)) == len(b"".join(pieces))
    uids = [each["00080018"]["Value"][0] for each in told]
    assert len(uids) == 16
    bulk = [value["BulkDataURI"] for value in told[0].values() if "BulkDataURI" in value]
    assert all(uri.startswith("http://x/o/riverside/studies/") for uri in bulk)
