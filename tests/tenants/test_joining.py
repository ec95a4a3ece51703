"""How an organization joins the region, step by step and in every wrong order."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from sharing.audit.models import Event
from sharing.kernel.lifecycle import NotNow, step
from sharing.outbox.models import Job
from sharing.tenants import services
from sharing.tenants.errors import LinkInvalid, NotAllowed, Taken
from sharing.tenants.models import Letter, Membership, Organization, User
from sharing.tenants.rules import NEXT, OrganizationEvent, OrganizationState, Role
from tests.cast import NOW, Person, Region, make_organization, make_person

pytestmark = pytest.mark.django_db
S, E = OrganizationState, OrganizationEvent
EXPECTED = {  # written again on purpose: the table and its reader must agree
    S.APPLIED: {E.VERIFY: S.VERIFIED},
    S.VERIFIED: {E.ASK: S.ASKED, E.CHECK: S.CHECKED, E.REFUSE: S.REFUSED},
    S.ASKED: {E.ANSWER: S.VERIFIED, E.REFUSE: S.REFUSED},
    S.CHECKED: {E.SIGN: S.SIGNED, E.REFUSE: S.REFUSED},
    S.SIGNED: {E.TEST: S.TESTED, E.REFUSE: S.REFUSED},
    S.TESTED: {E.ACTIVATE: S.ACTIVE, E.REFUSE: S.REFUSED},
    S.ACTIVE: {E.SUSPEND: S.SUSPENDED, E.LEAVE: S.OFFBOARDING},
    S.SUSPENDED: {E.RESUME: S.ACTIVE, E.LEAVE: S.OFFBOARDING},
    S.OFFBOARDING: {E.STAY: S.SUSPENDED, E.CLOSE: S.CLOSED},
    S.REFUSED: {},
    S.CLOSED: {},
}


def application(**changes: object) -> services.Application:
    """What Riverside writes on the public page."""
    said = {
        "name": "Riverside General Hospital",
        "native_name": "河畔总医院",
        "facility_identifier": "H-2291-04",
        "country": "DE",
        "contact_name": "Sam Ortiz",
        "contact_email": "Sam@riverside.example",
        "patient_id_issuer": "1.2.826.0.1.99999.4",
        "privacy_officer_name": "Olga Keller",
        "privacy_officer_email": "olga@riverside.example",
        "ae_titles": ["RIVER_PACS"],
    }
    return services.Application(**(said | changes))


@pytest.fixture
def olu() -> Person:
    """The region's operator."""
    office = make_organization("office", "Exchange Office", kind="operator")
    return make_person("Olu Park", office, Role.OPERATOR)


@pytest.fixture
def verified(olu: Person) -> Organization:
    """Riverside has applied and confirmed its address."""
    _, secret = services.apply(application=application(), at=NOW)
    return services.verify_application(secret=secret, at=NOW)


def letter_secret(kind: Letter.Kind) -> str:
    """The link of the newest letter of that kind."""
    return Letter.objects.filter(kind=kind).latest("pk").secret


@pytest.mark.parametrize("event", list(E))
@pytest.mark.parametrize("state", list(S))
def test_each_event_in_each_state_moves_as_the_table_says_or_is_refused(state: S, event: E) -> None:
    """No state and no event is without an answer."""
    if event in EXPECTED[state]:
        assert step(NEXT, state, event) == EXPECTED[state][event]
    else:
        with pytest.raises(NotNow):
            step(NEXT, state, event)


def test_no_organization_is_without_an_issuer_of_patient_identifiers() -> None:
    """An identifier without issuer is no identity: its files could not be received."""
    with pytest.raises(IntegrityError, match="an_organization_issues"), transaction.atomic():
        make_organization("hilltop", "Hilltop", patient_id_issuer="")


def test_an_application_waits_for_its_address_and_owes_a_letter() -> None:
    """Nobody is told of it before the contact has followed the link."""
    organization, _ = services.apply(application=application(), at=NOW)
    assert organization.state == S.APPLIED
    assert (organization.code, organization.mark) == ("riverside", "RG")
    assert list(Job.objects.values_list("task", flat=True)) == ["notify.send_letter"]
    assert Event.objects.get().action == "organization.apply"


def test_the_secret_of_a_letter_is_not_in_the_database() -> None:
    """A copy of the database opens no door."""
    _, secret = services.apply(application=application(), at=NOW)
    rows = str(list(Letter.objects.values()) + list(Job.objects.values()))
    assert secret.split(":")[-1] not in rows


def test_a_facility_registers_once_per_country() -> None:
    """The same number elsewhere is another facility."""
    services.apply(application=application(), at=NOW)
    with pytest.raises(Taken), transaction.atomic():
        services.apply(application=application(name="River Clinic"), at=NOW)
    other, _ = services.apply(application=application(country="FR"), at=NOW)
    assert other.code == "riverside2"


def test_a_refused_facility_may_register_again(verified: Organization, olu: Person) -> None:
    """Refusing is final for the application, not for the hospital."""
    services.refuse(organization=verified, reason="Unknown", by=olu.actor, at=NOW)
    again, _ = services.apply(application=application(), at=NOW)
    assert again.state == S.APPLIED


def test_a_verifying_letter_works_once() -> None:
    """The second time it is like one that never was."""
    _, secret = services.apply(application=application(), at=NOW)
    services.verify_application(secret=secret, at=NOW)
    with pytest.raises(LinkInvalid):
        services.verify_application(secret=secret, at=NOW)


def test_a_verifying_letter_ends_after_seven_days() -> None:
    """To the second."""
    organization, secret = services.apply(application=application(), at=NOW)
    with pytest.raises(LinkInvalid):
        services.verify_application(secret=secret, at=NOW + timedelta(days=7))
    organization.refresh_from_db()
    assert organization.state == S.APPLIED
    in_time = NOW + timedelta(days=7) - timedelta(seconds=1)
    assert services.verify_application(secret=secret, at=in_time).state == S.VERIFIED


def test_reading_a_letter_spends_nothing() -> None:
    """A mail scanner that follows the link changes nothing."""
    _, secret = services.apply(application=application(), at=NOW)
    services.to_verify(secret=secret, at=NOW)
    services.to_verify(secret=secret, at=NOW)
    assert services.verify_application(secret=secret, at=NOW).state == S.VERIFIED


def test_a_letter_of_one_kind_opens_no_other_door(verified: Organization, olu: Person) -> None:
    """The link to answer does not verify."""
    services.ask(organization=verified, question="Which house?", by=olu.actor, at=NOW)
    secret = letter_secret(Letter.Kind.ANSWER_QUESTION)
    for door in (services.verify_application, services.to_verify, services.invitation):
        with pytest.raises(LinkInvalid):
            door(secret=secret, at=NOW)


def test_a_made_up_or_altered_secret_opens_nothing(verified: Organization) -> None:
    """The signature is part of the secret."""
    public_id = Letter.objects.get().public_id
    for secret in ("", "x", public_id, f"{public_id}:x", "\0"):
        with pytest.raises(LinkInvalid):
            services.to_verify(secret=secret, at=NOW)


def test_the_operator_asks_and_the_applicant_answers(verified: Organization, olu: Person) -> None:
    """Then the application waits for the operator again, who is told."""
    services.ask(organization=verified, question="Which house?", by=olu.actor, at=NOW)
    with pytest.raises(NotNow):
        services.accept_documents(organization=verified, by=olu.actor, at=NOW)
    secret = letter_secret(Letter.Kind.ANSWER_QUESTION)
    answered = services.answer_question(secret=secret, answer="The main one.", at=NOW)
    assert (answered.state, answered.answer) == (S.VERIFIED, "The main one.")
    assert Job.objects.filter(task="notify.tell_operators").count() == 2


def test_accepting_makes_the_first_administrator(verified: Organization, olu: Person) -> None:
    """With an account that nobody can enter before the letter with its password."""
    user = services.accept_documents(organization=verified, by=olu.actor, at=NOW)
    member = Membership.objects.get(user=user)
    assert (member.organization_id, member.role) == (verified.pk, Role.ADMINISTRATOR)
    assert user.email == "sam@riverside.example"
    assert user.must_change_password
    assert not user.has_usable_password()
    assert services.user_needs(user, has_second_factor=False) == "password"


def test_documents_are_accepted_once(verified: Organization, olu: Person) -> None:
    """Two operators, one decision."""
    services.accept_documents(organization=verified, by=olu.actor, at=NOW)
    with pytest.raises(NotNow):
        services.accept_documents(organization=verified, by=olu.actor, at=NOW)
    assert Membership.objects.filter(organization=verified).count() == 1
    assert Job.objects.filter(task="notify.send_welcome").count() == 1


def test_a_contact_who_has_an_account_keeps_it(region: Region, olu: Person) -> None:
    """One address is one person, whatever the number of houses."""
    said = application(contact_email=region.ben.user.email, name="New House")
    _, secret = services.apply(application=said, at=NOW)
    organization = services.verify_application(secret=secret, at=NOW)
    before = User.objects.count()
    user = services.accept_documents(organization=organization, by=olu.actor, at=NOW)
    assert (user.pk, User.objects.count()) == (region.ben.user.pk, before)
    assert not user.must_change_password


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        (services.ask, {"question": "?"}),
        (services.accept_documents, {}),
        (services.refuse, {"reason": "?"}),
    ],
)
def test_only_the_operator_decides(
    region: Region, verified: Organization, verb: Callable[..., object], words: dict[str, str]
) -> None:
    """Not an administrator, not the applicant."""
    with pytest.raises(NotAllowed):
        verb(organization=verified, by=region.admin.actor, at=NOW, **words)
    with pytest.raises(NotAllowed):
        services.applications(region.admin.actor)
    verified.refresh_from_db()
    assert verified.state == S.VERIFIED
