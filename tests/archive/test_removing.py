"""Deleting and legal holds: whose it is, what is left, what comes back, and what does not."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from sharing.access.models import Grant
from sharing.access.services import share
from sharing.archive.errors import OnHold, RemovalInvalid, StudyNotFound
from sharing.archive.models import (
    Conflict,
    Erasure,
    Hold,
    Instance,
    Removal,
    Study,
    Withheld,
)
from sharing.archive.rules import Why
from sharing.archive.services import holding, rejecting, removing, writing
from sharing.archive.services.finding import find_studies
from sharing.archive.services.holding import holds_on, lift_hold, place_hold
from sharing.archive.services.reconciling import reconcile
from sharing.archive.services.rejecting import reject_images
from sharing.archive.services.removing import delete_study
from sharing.archive.services.retrieving import guarded
from sharing.audit.models import Event
from sharing.kernel.purposes import Purpose
from sharing.tenants.errors import NotAllowed
from tests.archive.keeping import DAY, TABLES, delete, files_of, held, packs
from tests.archive.sending import outcomes, send
from tests.cast import NOW, Region
from tests.faces.dicomweb.conftest import token_client

IMAGES = 16  # of the study that is sent


def share_it(region: Region, study: Study, at=NOW) -> None:
    share(
        subjects=[study.subject], to=region.hilltop, purpose=Purpose.TREATMENT,
        until=at + 60 * DAY, note="", by=region.ada.actor, at=at,
    )  # fmt: skip


def ben_sees(region: Region, at=NOW) -> int:
    return find_studies(region.ben.actor, at=at).count()


def test_a_deleted_study_is_gone_and_the_journal_and_the_log_say_who_and_why(
    region: Region, wrist: Study
) -> None:
    subject = wrist.subject
    delete(region, wrist)
    for table in (*TABLES, Conflict):
        assert not table.objects.exists()
    line = Removal.objects.get()
    assert (line.study_uid, line.reason, line.words) == (
        subject.study_uid, "mistake", "Sent to the wrong place",
    )  # fmt: skip
    assert (line.by_id, line.instances, line.at) == (region.olga.actor.id, IMAGES, NOW)
    event = Event.objects.get(action="study.delete")
    assert (event.study_uid, event.actor_id) == (subject.study_uid, region.olga.actor.id)
    assert event.detail["removal"] == line.public_id
    told = " ".join(str(value) for value in vars(line).values())
    assert "Moreau" not in told
    assert "WRIST" not in told.upper()


@pytest.mark.parametrize(
    ("who", "refusal"),
    [("ada", NotAllowed), ("mei", NotAllowed), ("ben", NotAllowed), ("cleo", NotAllowed)],
)
def test_only_the_custodians_privacy_officer_deletes(
    region: Region, wrist: Study, who: str, refusal: type[Exception]
) -> None:
    region.permit(patient=wrist.patient)
    actor = getattr(region, who).actor
    with pytest.raises(refusal):
        delete_study(actor, public_id=wrist.public_id, why=Why.MISTAKE, at=NOW)
    assert Study.objects.get() == wrist


def test_another_organizations_officer_finds_nothing_to_delete_hold_or_reject(
    region: Region, wrist: Study
) -> None:
    """Even one who is permitted to see it."""
    from sharing.tenants.rules import Role
    from tests.cast import make_person

    region.permit(patient=wrist.patient)
    officer = make_person("Omar Reid", region.hilltop, Role.PRIVACY_OFFICER).actor
    reader = make_person("Rita Lund", region.hilltop, Role.RADIOLOGIST).actor
    study = wrist.public_id
    with pytest.raises(StudyNotFound):
        delete_study(officer, public_id=study, why=Why.MISTAKE, at=NOW)
    with pytest.raises(StudyNotFound):
        place_hold(officer, public_id=study, reason="A case", at=NOW)
    with pytest.raises(StudyNotFound):
        reject_images(reader, public_id=study, series_uids=["1"], why=Why.QUALITY, at=NOW)
    assert Instance.objects.count() == IMAGES


def test_without_a_proper_reason_nothing_goes(region: Region, wrist: Study) -> None:
    for why, words in ((Why.QUALITY, ""), (Why.OTHER, "  "), (Why.MISTAKE, "x" * 301)):
        with pytest.raises(RemovalInvalid):
            delete(region, wrist, why=why, words=words)
    assert Study.objects.get() == wrist


def test_sent_again_it_is_a_new_study_and_no_old_share_opens_it(
    region: Region, wrist: Study, real_data: Path
) -> None:
    """The consent stands, for it is Pat's; what Ada shared under it has ended for good."""
    region.permit(patient=wrist.patient, organizations=(), named_by_custodian=True)
    share_it(region, wrist)
    assert ben_sees(region) == 1
    delete(region, wrist, at=NOW + DAY)
    assert ben_sees(region, NOW + DAY) == 0
    delivery = send(region, *files_of(real_data), at=NOW + 2 * DAY)
    assert {outcome for outcome, _ in outcomes(delivery)} == {"stored"}
    again = Study.objects.get()
    assert (again.study_uid, again.public_id == wrist.public_id) == (wrist.study_uid, False)
    assert ben_sees(region, NOW + 3 * DAY) == 0
    assert Grant.objects.get().revoked_at == NOW + DAY
    share_it(region, again, at=NOW + 3 * DAY)
    assert ben_sees(region, NOW + 3 * DAY) == 1


def test_a_consent_that_names_the_patient_opens_what_is_sent_again(
    region: Region, wrist: Study, real_data: Path
) -> None:
    """The custodian's deletion does not take back what Pat said."""
    region.permit(patient=wrist.patient)
    delete(region, wrist)
    assert ben_sees(region) == 0
    send(region, *files_of(real_data))
    assert ben_sees(region) == 1


def test_a_held_study_loses_nothing_and_the_log_says_who_tried(
    region: Region, wrist: Study, settings: object
) -> None:
    """Deleting, rejecting and purging alike, until the last of its holds is lifted."""
    series = [wrist.series.get().series_uid]
    some = list(Instance.objects.order_by("pk").values_list("sop_uid", flat=True)[:2])
    study, olga, ada = wrist.public_id, region.olga.actor, region.ada.actor
    reject_images(ada, public_id=study, series_uids=series, sop_uids=some, why=Why.QUALITY, at=NOW)
    first = place_hold(olga, public_id=study, reason="Case 1", at=NOW)
    second = place_hold(olga, public_id=study, reason="Case 2", at=NOW)
    for hold in (first, second):
        with pytest.raises(OnHold):
            delete(region, wrist)
        with pytest.raises(OnHold):
            reject_images(ada, public_id=study, series_uids=series, why=Why.QUALITY, at=NOW)
        assert rejecting.purge(at=NOW + 400 * DAY) == 0
        lift_hold(olga, public_id=study, hold_id=hold.public_id, why="Closed", at=NOW)
    assert Instance.objects.count() == IMAGES - 2
    refused = Event.objects.filter(action__endswith=".refused").values_list("action", "rule")
    assert set(refused) == {
        ("study.delete.refused", "on_hold"), ("study.reject.refused", "on_hold"),
    }  # fmt: skip
    assert holds_on(wrist) == []
    assert rejecting.purge(at=NOW + 400 * DAY) == 2
    delete(region, wrist)
    assert Hold.objects.count() == 2  # as history


def test_a_machine_needs_the_scope_for_it(region: Region, wrist: Study) -> None:
    from django.test import Client

    address = f"/api/v1/studies/{wrist.public_id}/"
    body = {"reason": "mistake", "words": "Sent twice"}

    def ask(client: Client, body: object = body) -> int:
        return client.delete(address, body, content_type="application/json").status_code

    assert ask(token_client(region.riverside, "studies.read", "dicomweb.write")) == 403
    assert ask(token_client(region.hilltop, "studies.delete")) == 404
    pacs = token_client(region.riverside, "studies.delete")
    assert ask(pacs, {"words": "No reason"}) == 400
    assert ask(pacs, {"reason": "quality"}) == 400
    hold = place_hold(region.olga.actor, public_id=wrist.public_id, reason="A case", at=NOW)
    assert ask(pacs) == 409
    lift_hold(
        region.olga.actor, public_id=wrist.public_id, hold_id=hold.public_id, why="Over", at=NOW
    )
    assert ask(pacs) == 204
    assert ask(pacs) == 404
    assert not Study.objects.exists()


def test_an_open_stream_ends_with_the_study(
    region: Region, wrist: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sharing.archive.services import retrieving

    module = __import__(guarded.__module__, fromlist=["RECHECK_SECONDS"])
    assert retrieving.RECHECK_SECONDS <= 1
    monkeypatch.setattr(module, "RECHECK_SECONDS", -1)
    actor = region.ada.actor
    chunks = guarded(iter([b"1", b"2"]), actor, wrist.public_id, timezone.now)
    assert next(chunks) == b"1"
    delete(region, wrist)
    with pytest.raises(StudyNotFound):
        next(chunks)


def test_its_bytes_are_collected_and_those_of_others_stay(
    region: Region, wrist: Study, real_data: Path, run_jobs: Callable[..., int]
) -> None:
    send(region, real_data / "single/pydicom_CT_small.dcm")
    delete(region, wrist)
    later = timezone.now() + 2 * DAY
    run_jobs(at=later)
    reconcile(at=later + timedelta(hours=2), collect=True)
    assert len(packs()) == 1
    assert held() == {(real_data / "single/pydicom_CT_small.dcm").read_bytes()}
    assert not Erasure.objects.filter(done_at=None).exists()
    assert not Withheld.objects.exists()


def test_a_crash_in_the_middle_of_deleting_leaves_all_of_it(
    region: Region, wrist: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever step is the one that fails."""
    for name in ("journal", "forget_study", "owe_erasure"):
        with monkeypatch.context() as patched:
            real = getattr(removing, name)

            def crash(*args: object, real: Callable = real, **how: object) -> None:
                real(*args, **how)
                raise RuntimeError("the process ends here")

            patched.setattr(removing, name, crash)
            with pytest.raises(RuntimeError):
                delete(region, wrist)
        assert Instance.objects.count() == IMAGES
        assert not Removal.objects.exists()
        assert not Event.objects.filter(action="study.delete").exists()
    assert holding.holds_on(wrist) == []


def test_a_study_that_is_deleted_between_look_and_lock_is_made_anew(
    region: Region, own_store: None, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was acknowledged is there: the sender's second look finds nothing and makes it."""
    path, looks = real_data / "single/pydicom_CT_small.dcm", []
    real = writing.read

    def stale(
        model: Any, names: Any, condition: str, params: list[Any], *, lock: bool = False
    ) -> object:
        if names == ("study_uid",) and not looks:
            looks.append(condition)
            return [(params[1],)]
        return real(model, names, condition, params, lock=lock)

    monkeypatch.setattr(writing, "read", stale)
    assert outcomes(send(region, path)) == [("stored", "")]
    assert looks
    assert held() == {path.read_bytes()}
