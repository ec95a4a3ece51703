"""Who is told what: once each, with working links, and never a word about the patient."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from sharing.access.services import share
from sharing.archive.models import Study
from sharing.consent.rules import Decision
from sharing.kernel.errors import Absent
from sharing.kernel.purposes import Purpose
from sharing.notify import rules, services
from sharing.notify.models import Mail, Notice
from sharing.tenants import services as tenants
from sharing.tenants.models import Letter, Organization, User
from sharing.tenants.rules import Role
from tests.cast import NOW, Person, Region, make_organization, make_person
from tests.tenants.test_joining import application

RunJobs = Callable[..., int]
NOTE = "Compare the nodule of LIN Xiaoyan"


@pytest.fixture
def olu(db: None) -> Person:
    """The region's operator."""
    office = make_organization("office", "Exchange Office", kind="operator")
    return make_person("Olu Park", office, Role.OPERATOR)


@pytest.fixture
def shared(region: Region) -> int:
    """Ada shared two studies with Hilltop, with a note; returns the share's id."""
    return _share(region, organizations=(region.hilltop,))


def _share(region: Region, organizations: tuple[Organization, ...]) -> int:
    at = timezone.now()
    studies = [region.study(), region.study()]
    region.permit(organizations=organizations, named_by_custodian=True, at=at)
    made = share(
        subjects=[study.subject for study in studies],
        to=region.hilltop,
        purpose=Purpose.TREATMENT,
        until=at + timedelta(days=30),
        note=NOTE,
        by=region.ada.actor,
        at=at,
    )
    return made.pk


def everything_sent() -> str:
    """All e-mails, whole: headers, text and HTML."""
    return "\n".join(message.message().as_string() for message in mail.outbox)


def patient_words(region: Region) -> list[str]:
    """What would give the patient away."""
    uids = list(Study.objects.values_list("study_uid", "description"))
    return ["Moreau", "MOREAU", "莫", "RV-1", "1958", *(word for row in uids for word in row)]


def test_hilltops_physician_is_told_of_a_share_without_patient_data(
    region: Region, shared: int, run_jobs: RunJobs
) -> None:
    """Neither the e-mail nor the notice; the note stays behind the fence too."""
    run_jobs()
    assert [message.to for message in mail.outbox] == [[region.ben.user.email]]
    said = everything_sent() + Notice.objects.get().text + str(Mail.objects.values())
    for word in (*patient_words(region), NOTE, "nodule"):
        assert word not in said
    assert "Ada Brandt of Riverside General Hospital shared 2 studies with you." in said
    assert "http://testserver/studies/?shared=1" in said


def test_only_treating_people_of_the_recipient_are_told(region: Region, shared: int) -> None:
    """Not its administrator, not the stranger, not one who left."""
    make_person("Ann Poe", region.hilltop, Role.ADMINISTRATOR)
    gone = make_person("Gus Low", region.hilltop, Role.PHYSICIAN)
    User.objects.filter(pk=gone.user.pk).update(is_active=False)
    services.tell_shared(share_id=shared, at=timezone.now())
    assert {notice.user for notice in Notice.objects.all()} == {region.ben.user}


def test_whom_the_patient_refuses_is_not_told_that_there_is_something_to_see(
    region: Region, shared: int
) -> None:
    """Of two studies Gus may see one and hears of one; Hal may see none, and hears nothing."""
    gus, hal = (make_person(name, region.hilltop, Role.PHYSICIAN) for name in ("Gus Low", "Hal Om"))
    first = Study.objects.order_by("pk").first()
    assert first is not None
    one = {"studies": frozenset({first.study_uid}), "practitioners": (gus.user,)}
    for said in (one, {"practitioners": (hal.user,)}):
        region.say(Decision.DENY, region.hilltop, organizations=(), at=timezone.now(), **said)
    services.tell_shared(share_id=shared, at=timezone.now())
    words = "Ada Brandt of Riverside General Hospital shared {} with you."
    assert {notice.user: notice.text for notice in Notice.objects.all()} == {
        region.ben.user: words.format("2 studies"),
        gus.user: words.format("a study"),
    }
    assert [hal.user.email] not in [message.to for message in mail.outbox]


def test_a_share_whose_consent_ended_before_the_bell_rang_is_not_told(
    region: Region, shared: int
) -> None:
    region.revoke(region.pat.consents.get(), at=timezone.now())
    services.tell_shared(share_id=shared, at=timezone.now())
    assert mail.outbox == []
    assert not Notice.objects.exists()


def test_a_bell_rung_twice_tells_once(region: Region, shared: int) -> None:
    """The outbox may ring again at any time."""
    for _ in range(2):
        services.tell_shared(share_id=shared, at=timezone.now())
    assert len(mail.outbox) == 1
    assert Notice.objects.count() == 1


def test_what_could_not_be_sent_is_sent_at_the_next_ring(
    region: Region, shared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mail server that is away loses nothing."""
    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMultiAlternatives.send", _away)
        with pytest.raises(ConnectionError):
            services.tell_shared(share_id=shared, at=timezone.now())
    assert Mail.objects.get().sent_at is None
    services.tell_shared(share_id=shared, at=timezone.now())
    assert len(mail.outbox) == 1
    assert Mail.objects.get().sent_at is not None


def _away(message: object) -> None:
    raise ConnectionError


def test_a_share_that_ended_before_the_bell_rang_is_not_told(region: Region, shared: int) -> None:
    """Nothing to see, nothing to say."""
    services.tell_shared(share_id=shared, at=timezone.now() + timedelta(days=31))
    assert mail.outbox == []
    assert not Notice.objects.exists()


def test_ben_is_told_in_the_portal_that_studies_left(region: Region, run_jobs: RunJobs) -> None:
    """In words that name nobody, and by no e-mail."""
    region.study()
    consent = region.permit()
    region.revoke(consent)
    run_jobs()
    notice = Notice.objects.get()
    assert (notice.user, notice.text) == (region.ben.user, rules.REVOKED)
    assert mail.outbox == []


def test_those_whom_the_custodian_named_are_told_too(region: Region) -> None:
    """The consent named nobody; the share did."""
    _share(region, organizations=())
    consent = region.pat.consents.get()
    region.revoke(consent, at=timezone.now())
    services.tell_revoked(consent_id=consent.pk, at=timezone.now())
    assert {notice.user for notice in Notice.objects.all()} == {region.ben.user}


def test_the_end_of_a_refusal_is_told_to_nobody(region: Region) -> None:
    """Nobody sees less than before."""
    consent = region.deny()
    region.revoke(consent)
    services.tell_revoked(consent_id=consent.pk, at=NOW)
    assert not Notice.objects.exists()


def test_notices_are_the_persons_own_and_of_the_house_they_act_for(
    region: Region, shared: int
) -> None:
    """Cleo has none; Ben has none of Hilltop's while he acts for another house."""
    services.tell_shared(share_id=shared, at=timezone.now())
    ben, cleo = region.ben.actor, region.cleo.actor
    assert (services.unread_count(ben), services.unread_count(cleo)) == (1, 0)
    notice = Notice.objects.get()
    with pytest.raises(Absent):
        services.mark_read(notice_id=notice.pk, by=cleo, at=NOW)
    services.mark_read(notice_id=notice.pk, by=ben, at=NOW)
    services.mark_read(notice_id=notice.pk, by=ben, at=NOW + timedelta(days=1))
    notice.refresh_from_db()
    assert notice.read_at == NOW
    Notice.objects.update(organization=region.lakeside, read_at=None)
    assert services.unread_count(ben) == 0


def test_operators_are_told_of_an_application_and_of_an_answer(
    olu: Person, run_jobs: RunJobs
) -> None:
    """Two turns, two messages; none before the address is confirmed."""
    at = timezone.now()
    _, secret = tenants.apply(application=application(), at=at)
    run_jobs()
    assert not Notice.objects.exists()
    riverside = tenants.verify_application(secret=secret, at=at)
    run_jobs()
    tenants.ask(organization=riverside, question="Which house?", by=olu.actor, at=at)
    letter = Letter.objects.latest("pk")
    tenants.answer_question(secret=letter.secret, answer="The main one.", at=at)
    run_jobs()
    assert Notice.objects.filter(user=olu.user).count() == 2
    to_operator = [message for message in mail.outbox if message.to == [olu.user.email]]
    assert len(to_operator) == 2
    assert "http://testserver/operator/riverside/" in str(to_operator[0].body)


def test_the_welcome_brings_a_password_that_opens_the_account_once(
    olu: Person, run_jobs: RunJobs
) -> None:
    """And a second ring doesn't change it behind the person's back."""
    at = timezone.now()
    _, secret = tenants.apply(application=application(), at=at)
    riverside = tenants.verify_application(secret=secret, at=at)
    user = tenants.accept_documents(organization=riverside, by=olu.actor, at=at)
    run_jobs()
    services.send_welcome(user_id=user.pk, organization_id=riverside.pk, at=at)
    letters = [message for message in mail.outbox if "how to begin" in message.subject]
    assert len(letters) == 1
    password = str(letters[0].body).split("Password:")[1].split()[0]
    assert User.objects.get(pk=user.pk).check_password(password)
    assert password not in str(list(Mail.objects.values()))


def test_a_refusal_brings_its_reason(olu: Person, run_jobs: RunJobs) -> None:
    """To the contact."""
    at = timezone.now()
    _, secret = tenants.apply(application=application(), at=at)
    riverside = tenants.verify_application(secret=secret, at=at)
    tenants.refuse(organization=riverside, reason="Not in the register.", by=olu.actor, at=at)
    run_jobs()
    last = mail.outbox[-1]
    assert last.to == ["Sam@riverside.example"]
    assert "Not in the register." in str(last.body)


def test_a_letter_that_was_used_or_is_too_old_is_not_sent(region: Region) -> None:
    """The bell rang late."""
    secret = tenants.invite(
        email="n@x.example", name="N", roles=[Role.CLERK], by=region.admin.actor, at=NOW
    )
    letter = Letter.objects.get(public_id=Letter.name_in(secret))
    services.send_letter(letter_id=letter.pk, at=NOW + timedelta(days=15))
    assert mail.outbox == []
    services.send_letter(letter_id=letter.pk, at=NOW)
    assert f"http://testserver/welcome/{secret}/" in everything_sent().replace("=\n", "")


def test_a_name_with_a_line_break_adds_no_header(region: Region) -> None:
    """The subject is one line, whatever came in by another door."""
    Organization.objects.filter(pk=region.riverside.pk).update(name="River\r\nBcc: all@x.example")
    tenants.invite(email="n@x.example", name="N", roles=["clerk"], by=region.admin.actor, at=NOW)
    services.send_letter(letter_id=Letter.objects.get().pk, at=NOW)
    message = mail.outbox[0].message()
    assert "Bcc" not in message
    assert "\n" not in str(message["Subject"])


def test_markup_in_a_name_stays_text(region: Region) -> None:
    """In the HTML part it is escaped, in the plain part it is as it was written."""
    Organization.objects.filter(pk=region.riverside.pk).update(name="<b>Riv & er</b>")
    tenants.invite(email="n@x.example", name="N", roles=["clerk"], by=region.admin.actor, at=NOW)
    services.send_letter(letter_id=Letter.objects.get().pk, at=NOW)
    message = mail.outbox[0]
    html = message.alternatives[0][0]
    assert "&lt;b&gt;Riv &amp; er&lt;/b&gt;" in html
    assert "<b>Riv & er</b>" in message.body
