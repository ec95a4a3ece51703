"""A partner's own client against a running server: dicomweb-client by its public functions."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import requests
from dicomweb_client.api import DICOMwebClient
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from sharing.archive.models import Instance
from sharing.partners.services import issue_token
from tests.archive.sending import dicom_files
from tests.cast import Region
from tests.live import LivePortal


def partner(root: str, secret: str, **how: Any) -> DICOMwebClient:
    """The client of Riverside's PACS."""
    session = requests.Session()
    session.trust_env = False
    headers = {"Authorization": f"Bearer {secret}"}
    return DICOMwebClient(root, session=session, headers=headers, **how)


@pytest.fixture
def client(committing: None, live_server: LiveServer, region: Region) -> DICOMwebClient:
    """Against Django's own server, which takes no chunked bodies."""
    scopes = ("dicomweb.read", "dicomweb.write")
    secret = issue_token(
        organization=region.riverside, name="PACS", scopes=scopes, at=timezone.now()
    )
    return partner(f"{live_server.url}/dicomweb", secret, chunk_size=10**9)


def test_a_partner_stores_finds_and_gets_back(client: DICOMwebClient, real_data: Path) -> None:
    files = list(dicom_files(real_data / "studies/mr_epi_multiseries"))
    sent = {d.SOPInstanceUID: d for d in map(pydicom.dcmread, files)}
    answer = client.store_instances(list(sent.values()))
    assert len(answer.ReferencedSOPSequence) == len(sent)
    assert "FailedSOPSequence" not in answer

    first = next(iter(sent.values()))
    (study,) = client.search_for_studies(search_filters={"PatientID": first.PatientID})
    uid = study["0020000D"]["Value"][0]
    assert uid == first.StudyInstanceUID
    series = client.search_for_series(uid)
    assert len(series) == 4
    instances = client.search_for_instances(uid)
    assert {i["00080018"]["Value"][0] for i in instances} == set(sent)

    metadata = client.retrieve_study_metadata(uid)
    assert len(metadata) == len(sent)
    back = {d.SOPInstanceUID: d for d in client.retrieve_study(uid)}
    assert set(back) == set(sent)
    for sop, dataset in back.items():
        assert np.array_equal(dataset.pixel_array, sent[sop].pixel_array)

    one = Instance.objects.select_related("series").first()
    where = (uid, one.series.series_uid, one.sop_uid)
    (frame,) = client.retrieve_instance_frames(*where, frame_numbers=[1])
    assert frame == sent[one.sop_uid].PixelData
    jpeg = client.retrieve_instance_rendered(*where, media_types=("image/jpeg",))
    assert jpeg[:3] == b"\xff\xd8\xff"
    assert client.retrieve_instance(*where).SOPInstanceUID == one.sop_uid
    bulk = client.retrieve_bulkdata(
        metadata[0]["7FE00010"]["BulkDataURI"].replace(
            "http://testserver/dicomweb", client.base_url
        )
    )
    assert len(bulk[0]) == len(sent[metadata[0]["00080018"]["Value"][0]].PixelData)


def test_a_partner_is_told_of_a_conflict(client: DICOMwebClient, real_data: Path) -> None:
    first, second = (
        pydicom.dcmread(real_data / f"broken/m_duplicate_sop_{letter}.dcm") for letter in "ab"
    )
    client.store_instances([first])
    with pytest.raises(Exception, match="409"):
        client.store_instances([second])


MAKE_RIVERSIDE = (
    "from tests.cast import make_organization; make_organization('riverside-pacs', 'Riverside')"
)


def test_a_body_without_a_length_is_taken_by_the_real_server(
    live_portal: LivePortal, real_data: Path
) -> None:
    """A partner's client sends chunks; Django alone would read nothing of them."""
    live_portal.manage("shell", "-c", MAKE_RIVERSIDE)
    scopes = ("--scope", "dicomweb.write", "--scope", "dicomweb.read")
    secret = live_portal.manage("token", "--organization", "riverside-pacs", *scopes).split()[-1]
    client = partner(f"{live_portal.url}/dicomweb", secret, chunk_size=100_000)
    files = list(dicom_files(real_data / "studies/mr_epi_multiseries"))
    answer = client.store_instances([pydicom.dcmread(path) for path in files])
    assert len(answer.ReferencedSOPSequence) == len(files)
    (study,) = client.search_for_studies()
    back = client.retrieve_study(study["0020000D"]["Value"][0])
    assert len(back) == len(files)
