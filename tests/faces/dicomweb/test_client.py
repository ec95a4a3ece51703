"""A partner's own client against a running server: dicomweb-client by its public functions."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient
from dicomweb_client.session_utils import create_session_from_user_pass
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from sharing.archive.models import Instance
from sharing.tenants.services import issue_token
from tests.archive.sending import dicom_files
from tests.cast import Region


@pytest.fixture
def client(committing: None, live_server: LiveServer, region: Region) -> Iterator[DICOMwebClient]:
    """The client of Riverside's PACS."""
    secret = issue_token(
        organization=region.riverside,
        name="PACS",
        scopes=("dicomweb.read", "dicomweb.write"),
        at=timezone.now(),
    )
    session = create_session_from_user_pass("unused", "unused")
    session.auth = None
    session.trust_env = False
    with session:
        yield DICOMwebClient(
            f"{live_server.url}/dicomweb",
            session=session,
            headers={"Authorization": f"Bearer {secret}"},
        )


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
