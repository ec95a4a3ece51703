"""After a consent ended: which copies had left, who is asked, and what they answer."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from sharing.archive.models import Study
from sharing.archive.services.finding import open_study
from sharing.audit.models import Event
from sharing.audit.rules import UNNAMED_COPY, Ground, Who
from sharing.audit.services import record
from sharing.consent.models import Consent
from sharing.consent.rules import Verification
from sharing.consent.services import (
    Told,
    amend_consent,
    exclude_person,
    mark_error,
    opt_out,
    said_by,
)
from sharing.kernel import scope
from sharing.kernel.lifecycle import NotNow, step
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.notify.errors import RecallInvalid, RecallNotFound
from sharing.notify.models import Notice, Recall
from sharing.notify.recalls import (
    answer_recall,
    recall_copies,
    recall_seen,
    recalls_made,
    recalls_received,
)
from sharing.notify.rules import RECALL_NEXT, RecallEvent, RecallState
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Role
from tests.cast import NOW, PDF, Region, make_person
from tests.sessions import sign_in

DAY = timedelta(days=1)
COPY = frozenset(Action.DOWNLOAD.ladder)
Jobs = Callable[..., int]


@pytest.fixture
def study(region: Region) -> Study:
    return region.study()


@pytest.fixture
def consent(region: Region) -> Consent:
    """Pat lets Hilltop download."""
    return region.permit(actions=COPY)


def downloaded(region: Region, study: Study, at: Any = NOW) -> None:
    open_study(region.ben.actor, public_id=study.public_id, at=at, action=Action.DOWNLOAD)


@pytest.fixture
def recall(region: Region, study: Study, consent: Consent, run_jobs: Jobs) -> Recall:
    """Ben downloaded; Pat withdrew an hour later."""
    downloaded(region, study)
    region.revoke(consent, at=NOW + timedelta(hours=1))
    run_jobs()
    return Recall.objects.get()


@pytest.mark.parametrize("state", RecallState)
@pytest.mark.parametrize("event", RecallEvent)
def test_a_recall_is_answered_once(state: RecallState, event: RecallEvent) -> None:
    if state == RecallState.WAITING:
        assert step(RECALL_NEXT, state, event) != RecallState.WAITING
    else:
        with pytest.raises(NotNow):
            step(RECALL_NEXT, state, event)


def test_a_revocation_lists_the_copy_that_left_and_tells_who_took_it(
    region: Region, study: Study, recall: Recall
) -> None:
    assert (recall.organization, recall.custodian) == (region.hilltop, region.riverside)
    copy = recall.copies.get()
    assert (copy.who, copy.study_uid, copy.left_at) == ("Ben Hartley", study.study_uid, NOW)
    told = Notice.objects.get(kind="recall")
    assert told.user == region.ben.user
    assert told.text == (
        "Riverside General Hospital recalls a copy: a consent ended or was narrowed. "
        "Say what became of them."
    )
    letters = [each for each in mail.outbox if "recalled" in each.subject]
    assert {each.to[0] for each in letters} == {region.ben.user.email, "privacy@hilltop.example"}
    for each in letters:
        assert "Moreau" not in each.body + each.subject
        assert study.study_uid not in each.body


def test_looking_is_no_copy_and_the_custodians_own_downloads_are_none(
    region: Region, study: Study, consent: Consent, run_jobs: Jobs
) -> None:
    open_study(region.ben.actor, public_id=study.public_id, at=NOW, action=Action.IMAGES)
    open_study(region.ada.actor, public_id=study.public_id, at=NOW, action=Action.DOWNLOAD)
    record(  # as a researcher of the custodian's own, who is no treating staff
        who=region.ada.actor.who,
        action="study.download",
        at=NOW,
        what=study.subject.what,
        ground=Ground(consent=consent.key),
    )
    region.revoke(consent, at=NOW + DAY)
    run_jobs(NOW + DAY)
    assert not Recall.objects.exists()


def test_a_consent_entered_in_error_recalls_too_and_another_consents_copies_do_not(
    region: Region, study: Study, consent: Consent, run_jobs: Jobs
) -> None:
    downloaded(region, study)
    other = region.permit(region.lakeside, actions=COPY)
    mark_error(consent=other, by=region.mei.actor, why="Wrong patient.", at=NOW + DAY)
    run_jobs(NOW + DAY)
    assert not Recall.objects.exists()
    mark_error(consent=consent, by=region.mei.actor, why="Wrong patient.", at=NOW + DAY)
    run_jobs(NOW + DAY)
    assert Recall.objects.get().consent == consent


def test_what_a_narrower_version_no_longer_covers_is_recalled_and_nothing_else(
    region: Region, study: Study, consent: Consent, run_jobs: Jobs
) -> None:
    """Pat keeps the MR back; the CT that Ben has stays permitted until Pat withdraws that too."""
    other = region.study(modalities="|MR|")
    downloaded(region, study)
    open_study(region.ben.actor, public_id=other.public_id, at=NOW, action=Action.DOWNLOAD)
    narrower = narrowed(region, consent, modalities=frozenset({"CT"}))
    run_jobs(NOW + DAY)
    recalled = Recall.objects.get()
    assert (recalled.consent, recalled.copies.get().study_uid) == (consent, other.study_uid)
    region.revoke(narrower, at=NOW + 2 * DAY)
    run_jobs(NOW + 2 * DAY)
    later = Recall.objects.get(consent=narrower)
    assert later.copies.get().study_uid == study.study_uid


@pytest.mark.parametrize(
    "less",
    [
        {"actions": frozenset(Action.IMAGES.ladder)},
        {"obligations": frozenset({Obligation.NO_DOWNLOAD}), "actions": frozenset({Action.IMAGES})},
        {"purposes": frozenset({Purpose.RESEARCH})},
        {"studies": frozenset({"2.25.99"})},
    ],
)
def test_a_version_that_gives_fewer_actions_to_fewer_people_for_less_recalls_the_copy(
    region: Region, study: Study, consent: Consent, run_jobs: Jobs, less: dict[str, Any]
) -> None:
    downloaded(region, study)
    narrowed(region, consent, **less)
    run_jobs(NOW + DAY)
    assert Recall.objects.get().copies.get().study_uid == study.study_uid


def test_a_copy_that_names_nobody_is_recalled_when_the_studies_are_taken_back(
    region: Region, study: Study, consent: Consent, run_jobs: Jobs
) -> None:
    record(
        who=region.ben.actor.who,
        action=UNNAMED_COPY,
        at=NOW,
        what=study.subject.what,
        ground=Ground(consent=consent.key),
    )
    only = {"obligations": frozenset({Obligation.DEIDENTIFY})}
    unnamed = narrowed(region, consent, **only)
    run_jobs(NOW + DAY)
    assert not Recall.objects.exists()
    narrowed(region, unnamed, studies=frozenset({"2.25.99"}))
    run_jobs(NOW + DAY)
    assert Recall.objects.get().copies.get().study_uid == study.study_uid


def test_a_version_that_gives_as_much_recalls_nothing(
    region: Region, study: Study, consent: Consent, run_jobs: Jobs
) -> None:
    downloaded(region, study)
    narrowed(region, consent, organizations=(region.hilltop, region.lakeside))
    narrowed(region, Consent.objects.latest("pk"), ends_at=NOW + 20 * DAY)
    run_jobs(NOW + DAY)
    assert not Recall.objects.exists()


@pytest.mark.parametrize("how", ["deny", "opt_out", "exclusion"])
def test_what_the_patient_refuses_now_is_recalled_from_whom_the_refusal_means(
    region: Region, study: Study, consent: Consent, run_jobs: Jobs, how: str
) -> None:
    """The permit stands, and opens nothing to Ben any more; once is asked, whatever ends later."""
    region.permit(region.lakeside, actions=COPY)
    downloaded(region, study)
    open_study(region.cleo.actor, public_id=study.public_id, at=NOW, action=Action.DOWNLOAD)
    told = Told(verification=Verification.VERBAL, witness="Olga Weiss")
    at = NOW + timedelta(hours=1)
    spoken: dict[str, Any] = {"patient": region.pat, "told": told, "by": region.mei.actor, "at": at}
    if how == "deny":
        region.deny(actions=frozenset({Action.IMAGES}), at=at)
    elif how == "opt_out":
        opt_out(**spoken)
    else:
        exclude_person(user=region.ben.user, **spoken)
    run_jobs(at)
    asked = {region.hilltop, region.lakeside} if how == "opt_out" else {region.hilltop}
    assert {recall.organization for recall in Recall.objects.all()} == asked
    region.revoke(consent, at=NOW + DAY)
    run_jobs(NOW + DAY)
    assert Recall.objects.count() == len(asked)


@pytest.mark.parametrize(
    "other",
    [
        {"purposes": frozenset({Purpose.RESEARCH})},
        {"studies": frozenset({"2.25.99"})},
        {"actions": frozenset({Action.RESHARE})},
    ],
)
def test_a_refusal_of_something_else_recalls_nothing(
    region: Region, study: Study, consent: Consent, run_jobs: Jobs, other: dict[str, Any]
) -> None:
    downloaded(region, study)
    region.deny(at=NOW + timedelta(hours=1), **other)
    run_jobs(NOW + DAY)
    assert not Recall.objects.exists()


def narrowed(region: Region, consent: Consent, **said: Any) -> Consent:
    """Pat says less, an hour later; the next version holds."""
    words = replace(said_by(consent), evidence=io.BytesIO(PDF), **said)
    at = NOW + timedelta(hours=consent.version)
    return amend_consent(consent=consent, said=words, by=region.mei.actor, at=at)


def test_ringing_twice_asks_once(region: Region, recall: Recall) -> None:
    assert recall_copies(consent_id=recall.consent_id, at=NOW + DAY) == 0
    assert Event.objects.filter(action="recall.ask").count() == 1


def test_ben_answers_that_it_is_destroyed_and_olga_reads_it(region: Region, recall: Recall) -> None:
    answer_recall(
        public_id=recall.public_id, event=RecallEvent.DESTROY, why="", by=region.ben.actor,
        at=NOW + DAY,
    )  # fmt: skip
    seen = recalls_made(region.olga.actor).get()
    assert (seen.state, seen.answered_by) == ("destroyed", "Ben Hartley")
    logged = Event.objects.get(action="recall.answer")
    assert (logged.custodian, logged.detail["state"]) == ("riverside", "destroyed")
    with pytest.raises(NotNow):
        answer_recall(
            public_id=recall.public_id, event=RecallEvent.KEEP, why="Law.", by=region.ben.actor,
            at=NOW + DAY,
        )  # fmt: skip


def test_who_keeps_a_copy_says_by_which_law(region: Region, recall: Recall) -> None:
    said = {"public_id": recall.public_id, "event": RecallEvent.KEEP, "by": region.ben.actor}
    with pytest.raises(RecallInvalid):
        answer_recall(**said, why=" ", at=NOW + DAY)
    kept = answer_recall(**said, why="Ten years by the X-ray ordinance.", at=NOW + DAY)
    assert kept.state == RecallState.KEPT


def test_nobody_else_sees_it_and_the_custodian_answers_for_nobody(
    region: Region, recall: Recall
) -> None:
    colleague = make_person("Nina Falk", region.hilltop, Role.PHYSICIAN)
    for stranger in (region.cleo, colleague, region.ada):
        with pytest.raises(RecallNotFound):
            recall_seen(stranger.actor, public_id=recall.public_id)
    with pytest.raises(NotAllowed):
        recalls_made(region.ada.actor)
    assert not recalls_received(region.cleo.actor).exists()
    officer = make_person("Paul Voss", region.hilltop, Role.PRIVACY_OFFICER)
    assert recalls_received(officer.actor).exists()
    for event in (RecallEvent.DESTROY, RecallEvent.CLOSE):
        with pytest.raises(RecallNotFound):
            answer_recall(
                public_id=recall.public_id, event=event, why="-", by=region.olga.actor, at=NOW
            )


def test_who_took_a_copy_reads_of_their_own_and_not_of_what_colleagues_took(
    region: Region, study: Study, consent: Consent, run_jobs: Jobs
) -> None:
    """Nina downloaded what Ben was kept away from."""
    nina = make_person("Nina Falk", region.hilltop, Role.PHYSICIAN)
    other = region.study()
    open_study(nina.actor, public_id=other.public_id, at=NOW, action=Action.DOWNLOAD)
    downloaded(region, study)
    region.revoke(consent, at=NOW + timedelta(hours=1))
    run_jobs()
    address = f"/recalls/{Recall.objects.get().public_id}/"
    page = sign_in(Client(), region.ben.user).get(address).content.decode()
    assert study.study_uid in page
    assert "recalls 1 copy" in page
    for word in (other.study_uid, "Nina"):
        assert word not in page
    assert "a copy:" in Notice.objects.get(kind="recall", user=region.ben.user).text
    officer = make_person("Paul Voss", region.hilltop, Role.PRIVACY_OFFICER)
    page = sign_in(Client(), officer.user).get(address).content.decode()
    assert other.study_uid in page


def test_who_took_a_copy_answers_for_their_own_and_the_recall_waits_for_the_others(
    region: Region, study: Study, consent: Consent, run_jobs: Jobs
) -> None:
    """Ben destroyed his; what Nina took is still out, and Ben does not learn of it."""
    nina = make_person("Nina Falk", region.hilltop, Role.PHYSICIAN)
    open_study(nina.actor, public_id=study.public_id, at=NOW, action=Action.DOWNLOAD)
    downloaded(region, study)
    region.revoke(consent, at=NOW + timedelta(hours=1))
    run_jobs()
    recall = Recall.objects.get()
    said = {"public_id": recall.public_id, "at": NOW + DAY}
    answer_recall(**said, event=RecallEvent.DESTROY, why="", by=region.ben.actor)
    assert recalls_made(region.olga.actor).get().state == RecallState.WAITING
    page = sign_in(Client(), region.ben.user).get(f"/recalls/{recall.public_id}/").content.decode()
    assert "Destroyed" in page
    assert "Waiting" not in page
    asked = sign_in(Client(), region.olga.user).get("/recalls/").content.decode()
    assert "1 of 2 answered" in asked
    with pytest.raises(NotNow):
        answer_recall(**said, event=RecallEvent.KEEP, why="Law.", by=region.ben.actor)
    answer_recall(**said, event=RecallEvent.KEEP, why="By law.", by=nina.actor)
    closed = recalls_made(region.olga.actor).get()
    assert (closed.state, closed.why) == (RecallState.KEPT, "By law.")


def test_an_officer_answers_for_those_who_took_copies_and_do_not_answer(
    region: Region, study: Study, consent: Consent, run_jobs: Jobs
) -> None:
    nina = make_person("Nina Falk", region.hilltop, Role.PHYSICIAN)
    open_study(nina.actor, public_id=study.public_id, at=NOW, action=Action.DOWNLOAD)
    downloaded(region, study)
    region.revoke(consent, at=NOW + timedelta(hours=1))
    run_jobs()
    said = {"public_id": Recall.objects.get().public_id, "event": RecallEvent.DESTROY, "why": ""}
    answer_recall(**said, by=region.ben.actor, at=NOW + DAY)
    officer = make_person("Paul Voss", region.hilltop, Role.PRIVACY_OFFICER)
    with scope.within(officer.actor.scope):
        answer_recall(**said, by=officer.actor, at=NOW + 2 * DAY)
    recall = Recall.objects.get()
    assert (recall.state, recall.answered_by) == (RecallState.DESTROYED, "Paul Voss")
    answers = recall.copies.order_by("answered_at").values_list("who", "answered_by")
    assert list(answers) == [("Ben Hartley", "Ben Hartley"), ("Nina Falk", "Paul Voss")]


def test_of_a_links_bearer_the_custodian_says_what_it_did(
    region: Region, study: Study, consent: Consent, run_jobs: Jobs
) -> None:
    record(
        who=Who("link", "a-link", "Dr Roth, by a link", "", "", "TREAT"),
        action="study.download",
        at=NOW,
        what=study.subject.what,
        ground=Ground(consent=consent.key),
    )
    region.revoke(consent, at=NOW + DAY)
    run_jobs(NOW + DAY)
    recall = Recall.objects.get()
    assert (recall.organization, recall.recipient) == (None, "Dr Roth, by a link")
    closed = answer_recall(
        public_id=recall.public_id, event=RecallEvent.CLOSE, why="Written to on paper.",
        by=region.olga.actor, at=NOW + DAY,
    )  # fmt: skip
    assert closed.state == RecallState.CLOSED


def test_the_pages_show_state_and_days_and_take_the_answer(region: Region, recall: Recall) -> None:
    olga = sign_in(Client(), region.olga.user)
    page = olga.get("/recalls/").content.decode()
    assert "Hilltop Family Clinic" in page
    assert "of 14" in page
    consent = olga.get(f"/consents/{recall.consent.public_id}/").content.decode()
    assert "Copies that had left" in consent
    ben = sign_in(Client(), region.ben.user)
    address = f"/recalls/{recall.public_id}/"
    page = ben.get(address).content.decode()
    assert recall.copies.get().study_uid in page
    assert "Moreau" not in page
    assert "C-1001" not in page
    assert ben.post(address, {"event": "keep"}).status_code == 422
    assert ben.post(address, {"event": "destroy"}).status_code == 302
    assert "Destroyed" in olga.get("/recalls/").content.decode()
    assert sign_in(Client(), region.cleo.user).get(address).status_code == 404
