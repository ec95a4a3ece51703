"""What was withdrawn comes back, a role lends another its purpose, the portal tells a lie."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from sharing.access.services import decide_one, share
from sharing.archive.models import Study
from sharing.audit.rules import SYSTEM
from sharing.blobs import store
from sharing.consent.models import Evidence
from sharing.consent.services import open_evidence
from sharing.kernel.errors import DomainError
from sharing.kernel.purposes import Action, Purpose
from sharing.notify import services as notify
from sharing.notify.models import Notice
from sharing.tenants.rules import Role
from sharing.tenants.services import add_member
from tests.cast import NOW, Region, make_person

DAY = timedelta(days=1)


def shared(region: Region, study: Study) -> int:
    """Ada shares it with Hilltop for 60 days."""
    made = share(
        subjects=[study.subject],
        to=region.hilltop,
        purpose=Purpose.TREATMENT,
        until=NOW + 60 * DAY,
        note="",
        by=region.ada.actor,
        at=NOW,
    )
    return made.pk


def sees(region: Region, study: Study, at=NOW) -> bool:
    """Ben, by the decision and by the fence, which agree."""
    decided = decide_one(region.ben.actor, Action.IMAGES, study.subject, at=at).allowed
    inside = Study.objects.visible_to(region.ben.actor, at, Action.IMAGES)
    assert decided == inside.filter(pk=study.pk).exists()
    return decided


def test_a_new_consent_wakes_no_share_that_the_patient_ended(region: Region) -> None:
    """Pat withdrew from Hilltop; later she lets Riverside name somebody else."""
    study = region.study()
    first = region.permit(organizations=(), named_by_custodian=True)
    shared(region, study)
    assert sees(region, study)
    region.revoke(first, at=NOW + DAY)
    assert not sees(region, study, NOW + DAY)
    region.permit(organizations=(), named_by_custodian=True, at=NOW + 2 * DAY)
    assert not sees(region, study, NOW + 3 * DAY)


def test_a_role_lends_its_actions_to_no_other_roles_purpose(region: Region) -> None:
    """An administrator who also reads images acts as administrator: no images then."""
    person = make_person("Two Hats", region.hilltop, Role.PHYSICIAN)
    add_member(
        organization=region.hilltop, user=person.user, role=Role.ADMINISTRATOR, by=SYSTEM, at=NOW
    )
    study = region.study()
    region.permit(purposes=frozenset({Purpose.OPERATIONS, Purpose.TREATMENT}))
    for purpose, allowed in ((Purpose.TREATMENT, True), (Purpose.OPERATIONS, False)):
        actor = person.acting_for(purpose)
        assert decide_one(actor, Action.IMAGES, study.subject, at=NOW).allowed == allowed
        inside = Study.objects.visible_to(actor, NOW, Action.IMAGES)
        assert inside.exists() == allowed


def test_nobody_is_told_that_studies_left_when_none_did(region: Region) -> None:
    """Another consent still carries it; or there was never a study to see."""
    empty = region.permit(region.lakeside, modalities=frozenset({"MG"}))
    region.study()
    region.permit()
    second = region.permit()
    for consent in (empty, second):
        region.revoke(consent, at=NOW + DAY)
        notify.tell_revoked(consent_id=consent.pk, at=NOW + DAY)
    assert not Notice.objects.exists()


def test_one_address_that_refuses_mail_keeps_nobody_else_in_the_dark(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job fails and is tried again, but everybody else was told at the first try."""
    second = make_person("Zoe Last", region.hilltop, Role.PHYSICIAN)
    study = region.study()
    region.permit(named_by_custodian=True)
    number = shared(region, study)
    send = mail.EmailMultiAlternatives.send

    def picky(message: mail.EmailMultiAlternatives) -> int:
        if message.to == [region.ben.user.email]:
            raise ConnectionError
        return send(message)

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", picky)
    with pytest.raises(ConnectionError):
        notify.tell_shared(share_id=number, at=NOW)
    assert [message.to for message in mail.outbox] == [[second.user.email]]
    assert {notice.user for notice in Notice.objects.all()} == {region.ben.user, second.user}


@pytest.mark.parametrize("harm", ["gone", "cut", "other"])
def test_a_signed_form_that_is_not_what_was_signed_is_never_shown(
    region: Region, harm: str
) -> None:
    """Gone, cut short or changed on the disk: 503, and not a 200 with other bytes."""
    consent = region.permit(at=timezone.now())
    kept = Evidence.objects.get(consent=consent)
    path = store()._path(kept.blob)  # type: ignore[attr-defined]
    whole = path.read_bytes()
    path.unlink()
    if harm != "gone":
        path.write_bytes(whole[:-3] if harm == "cut" else whole[:-3] + b"xyz")
    with pytest.raises(DomainError) as refused:
        open_evidence(region.mei.actor, public_id=consent.public_id, at=timezone.now())
    assert refused.value.code == "blob_unavailable"
