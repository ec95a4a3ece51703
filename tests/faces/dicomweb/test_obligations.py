"""What a permit obliges to is done at the door: marks on pictures, no bare pixels, counted uses."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from sharing.access.models import Use
from sharing.access.rules import GlassReason
from sharing.access.services import Emergency, break_glass
from sharing.archive.models import Instance
from sharing.archive.services.settling import settle_study
from sharing.audit.models import Event
from sharing.consent.models import Consent
from sharing.identity.services import PatientName
from sharing.kernel.purposes import Action, Obligation, Purpose
from tests.archive.sending import send
from tests.cast import Region
from tests.faces.dicomweb.conftest import content_type, multipart, token_client
from tests.faces.dicomweb.test_retrieve import parts
from tests.faces.dicomweb.test_retrieve_rendered import PDF, PDFS, document
from tests.sessions import sign_in

MARKED = {"obligations": frozenset({Obligation.WATERMARK})}


@pytest.fixture
def instance(region: Region, real_data: Path) -> Instance:
    region.at = timezone.now()
    send(region, real_data / "single/pydicom_CT_small.dcm")
    found = Instance.objects.select_related("series__study__patient").get()
    settle_study(study_id=found.series.study_id, at=timezone.now())
    return found


def place(instance: Instance) -> str:
    series = instance.series
    return (
        f"/dicomweb/studies/{series.study.study_uid}/series/{series.series_uid}"
        f"/instances/{instance.sop_uid}"
    )


def permit(region: Region, instance: Instance, **said: Any) -> Consent:
    return region.permit(patient=instance.series.study.patient, **said)


def pixels(response: Any) -> Any:
    assert response.status_code == 200, response.content
    return np.asarray(Image.open(BytesIO(response.content)).convert("L"), dtype=int)


def picture(client: Client, url: str) -> Any:
    return pixels(client.get(url, headers={"Accept": "image/png"}))


@pytest.mark.parametrize("what", ["rendered", "frames/1/rendered", "thumbnail"])
def test_pictures_carry_their_readers_name_all_over(
    region: Region, instance: Instance, what: str
) -> None:
    permit(region, instance, **MARKED)
    url = f"{place(instance)}/{what}"
    own, marked = (picture(sign_in(Client(), p.user), url) for p in (region.ada, region.ben))
    changed = np.abs(own - marked) > 24
    quarters = [half for rows in np.array_split(changed, 2) for half in np.array_split(rows, 2, 1)]
    assert all(quarter.any() for quarter in quarters)
    assert not changed.all()


def test_a_document_can_bear_no_mark_so_it_stays_out_of_what_is_rendered(
    region: Region, instance: Instance, real_data: Path
) -> None:
    letter = multipart(document(real_data, 1))
    machine = token_client(region.riverside)
    machine.post("/dicomweb/studies", letter, content_type=content_type())
    permit(region, instance, **MARKED)
    study, ben = place(instance).partition("/series/")[0], sign_in(Client(), region.ben.user)
    for url, accept in ((study, PDF), (study, PDFS), (f"{study}/series/2.25.7", "*/*")):
        refused = ben.get(f"{url}/rendered", headers={"Accept": accept})
        assert (refused.status_code, refused.json()["code"]) == (406, "marked_only")
    found = parts(ben.get(f"{study}/rendered", headers={"Accept": "*/*"}))
    assert [kind for kind, _ in found] == ["image/jpeg"]


def test_each_reader_has_a_mark_and_a_tag_of_their_own(region: Region, instance: Instance) -> None:
    permit(region, instance, organizations=(region.hilltop, region.lakeside), **MARKED)
    url = f"{place(instance)}/rendered"
    ben, cleo = (sign_in(Client(), p.user).get(url) for p in (region.ben, region.cleo))
    assert ben["ETag"] != cleo["ETag"]
    assert ben.content != cleo.content


def test_small_pictures_of_pages_are_marked_too(region: Region, instance: Instance) -> None:
    study = instance.series.study
    url = f"/studies/{study.public_id}/thumbnail/"
    permit(region, instance)
    plain = pixels(sign_in(Client(), region.ben.user).get(url))
    permit(region, instance, **MARKED)
    marked = pixels(sign_in(Client(), region.ben.user).get(url))
    assert (np.abs(plain - marked) > 24).any()


def test_a_machine_gets_no_bare_pixels_and_a_person_no_bare_copy(
    region: Region, instance: Instance
) -> None:
    actions = frozenset(Action.DOWNLOAD.ladder)
    purposes = frozenset({Purpose.TREATMENT, Purpose.OPERATIONS})
    permit(region, instance, actions=actions, purposes=purposes, **MARKED)
    machine, ben = token_client(region.hilltop, "dicomweb.read"), sign_in(Client(), region.ben.user)
    frames, bulk = f"{place(instance)}/frames/1", f"{place(instance)}/bulkdata/7FE00010"
    for client, url in ((machine, frames), (machine, bulk), (machine, place(instance)),
                        (ben, place(instance))):  # fmt: skip
        answer = client.get(url)
        assert (answer.status_code, answer.json()["code"]) == (406, "marked_only"), url
    assert ben.get(frames).status_code == 200  # the viewer lays the mark over them
    assert machine.get(f"{place(instance)}/rendered").status_code == 200
    refused = Event.objects.filter(rule="obligation_forbids", permitted=False)
    assert {event.action for event in refused} == {
        "study.images.refused",
        "study.download.refused",
    }
    assert not Event.objects.filter(action="study.download").exists()


@pytest.mark.usefixtures("committing")  # only what is committed is known as read
def test_what_is_read_in_an_emergency_after_a_withdrawal_is_logged_as_that(
    region: Region, instance: Instance
) -> None:
    """Ben looked by Pat's consent a moment ago: what he sees now is no repeat of it."""
    consent = permit(region, instance)
    ben, frames = sign_in(Client(), region.ben.user), f"{place(instance)}/frames/1"
    patient = instance.series.study.patient
    named = PatientName(patient.issuer, patient.identifier, patient.birth_date)
    words = "Bleeding, and nobody can be asked"
    said = Emergency(named, GlassReason.LIFE, words, hours=1, attested=True, proven=True)
    break_glass(emergency=said, by=region.ben.actor, at=timezone.now())
    assert ben.get(frames).status_code == 200
    region.revoke(consent, at=timezone.now())
    assert ben.get(frames).status_code == 200
    reads = Event.objects.filter(action="study.images").order_by("pk")
    assert [event.rule for event in reads] == ["consent_permits", "emergency"]


def test_an_obligation_that_comes_later_binds_the_next_read(
    committing: None, region: Region, instance: Instance
) -> None:
    """Though this process remembers, from its commit on, that the read is in the log already."""
    ben, url = sign_in(Client(), region.ben.user), f"{place(instance)}/rendered"
    permit(region, instance)
    before = [picture(ben, url) for _ in range(2)][-1]
    permit(region, instance, **MARKED)
    assert (np.abs(picture(ben, url) - before) > 24).any()


def test_a_viewers_frames_use_up_one_use(region: Region, instance: Instance) -> None:
    consent = permit(region, instance, maximum_uses=1)
    ben = sign_in(Client(), region.ben.user)
    for what in ("rendered", "frames/1", "metadata", "thumbnail", "frames/1"):
        assert ben.get(f"{place(instance)}/{what}").status_code == 200, what
    consent.refresh_from_db()
    assert consent.used == Use.objects.count() == 1
    other = region.study(instance.series.study.patient)
    assert ben.get(f"/dicomweb/studies/{other.study_uid}/metadata").status_code == 404


@pytest.mark.parametrize(
    "limit", [{"maximum_uses": 2}, {"obligations": frozenset({Obligation.NOTIFY_PATIENT})}]
)
def test_a_search_tells_nothing_that_is_counted(
    region: Region, instance: Instance, limit: dict[str, Any]
) -> None:
    """What only the images say is told once they are opened: until then that would be a use."""
    permit(region, instance, **limit)
    ben = sign_in(Client(), region.ben.user)
    series = f"/dicomweb/studies/{instance.series.study.study_uid}/series"
    usual = ben.get(series).json()
    assert len(usual) == 1
    for more in ("?includefield=all", "?includefield=Manufacturer"):
        assert ben.get(series + more).json() == usual
    assert ben.get(series, {"Manufacturer": "GE*"}).json() == []
    assert not Use.objects.exists()
    assert ben.get(f"{place(instance)}/metadata").status_code == 200
    (told,) = ben.get(f"{series}?includefield=Manufacturer").json()
    assert told["00080070"]["Value"][0].startswith("GE")
    assert len(ben.get(series, {"Manufacturer": "GE*"}).json()) == 1
    assert Use.objects.count() == 1
