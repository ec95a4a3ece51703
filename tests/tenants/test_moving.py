"""An organization's life after its application: each step by the right hand, kept and told."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client

from sharing.access.rules import Rule
from sharing.access.services import decide_one
from sharing.archive.models import Study
from sharing.audit.models import Event
from sharing.audit.rules import Who
from sharing.kernel.lifecycle import NotNow
from sharing.kernel.purposes import Action, Purpose
from sharing.partners.services import actor_for_token, issue_token
from sharing.tenants import services, terms
from sharing.tenants.errors import NotAllowed, ReasonMissing, SignatureMissing
from sharing.tenants.models import Move, Organization, User
from sharing.tenants.models import Region as RegionRow
from sharing.tenants.rules import NEXT, Actor, Duty, OrganizationEvent, OrganizationState, Role
from sharing.tenants.services import moving
from tests.cast import NOW, Person, Region, make_organization, make_person
from tests.sessions import sign_in
from tests.tenants.test_joining import application

pytestmark = pytest.mark.django_db
S, E = OrganizationState, OrganizationEvent
WHY = "The audit of 20 November."


@pytest.fixture
def olu() -> Person:
    """The region's operator."""
    office = make_organization("office", "Exchange Office", kind="operator")
    return make_person("Olu Park", office, Role.OPERATOR)


@pytest.fixture
def checked(olu: Person) -> Organization:
    """Northgate, whose documents are accepted."""
    _, secret = services.apply(application=application(name="Northgate Hospital"), at=NOW)
    found = services.verify_application(secret=secret, at=NOW)
    services.accept_documents(organization=found, by=olu.actor, at=NOW)
    return found


def sam_of(organization: Organization) -> Actor:
    """Its administrator, as each request finds them."""
    user = User.objects.get(email="sam@riverside.example")
    actor = services.actor_for_session(user, {}, assured=True)
    assert actor is not None
    assert actor.organization_id == organization.pk
    return actor


def sign(organization: Organization, **said: str) -> Organization:
    """Sam signs the terms that were shown."""
    words = {"signed_by": "Dr Chen", "function": "Medical director", "sha256": terms.SHA256}
    return services.sign_terms(**(words | said), by=sam_of(organization), at=NOW)


def to_active(organization: Organization, olu: Person) -> Organization:
    """All that is left of the way in."""
    sign(organization)
    services.go_untested(organization=organization, why="A clinic without machines.",
                         by=olu.actor, at=NOW)  # fmt: skip
    return services.activate(organization=organization, why="Ready.", by=olu.actor, at=NOW)


def test_the_whole_way_in_is_kept_with_who_why_and_when(checked: Organization, olu: Person) -> None:
    """Seven lines, each step once, in their order."""
    to_active(checked, olu)
    lines = [(m.event, m.after, m.by_name) for m in services.history(checked.pk)]
    assert lines == [
        ("apply", "applied", "Sam Ortiz"),
        ("verify", "verified", "Sam Ortiz"),
        ("check", "checked", "Olu Park"),
        ("sign", "signed", "Sam Ortiz"),
        ("test", "tested", "Olu Park"),
        ("activate", "active", "Olu Park"),
    ]
    assert all(line.reason and line.at == NOW for line in services.history(checked.pk))
    logged = Event.objects.filter(custodian=checked.code, action__startswith="organization.")
    assert logged.count() == 6


def test_each_step_after_the_first_owes_an_e_mail(
    checked: Organization, olu: Person, run_jobs: Callable[..., int]
) -> None:
    """Suspended, resumed: the contact and the officer read why; the operators what waits."""
    to_active(checked, olu)
    services.suspend(organization=checked, why=WHY, by=olu.actor, at=NOW)
    run_jobs()
    subject = f"{checked.name}: what changed"
    told = [message for message in mail.outbox if message.subject == subject]
    suspended = [message for message in told if WHY in str(message.body)]
    assert {to for message in suspended for to in message.to} == {
        "sam@riverside.example", "olga@riverside.example",
    }  # fmt: skip
    signed = [m for m in told if "signed the region" in str(m.body)]
    assert olu.user.email in {to for message in signed for to in message.to}
    count = len(mail.outbox)
    run_jobs()
    assert len(mail.outbox) == count


@pytest.mark.parametrize("event", ["suspend", "resume", "offboard", "stay", "activate"])
def test_a_step_without_a_reason_is_not_taken(region: Region, olu: Person, event: str) -> None:
    """Blanks are none."""
    ready = {"resume": S.SUSPENDED, "stay": S.OFFBOARDING, "activate": S.TESTED}
    region.riverside.state = ready.get(event, S.ACTIVE)
    region.riverside.save()
    with pytest.raises(ReasonMissing), transaction.atomic():
        getattr(services, event)(organization=region.riverside, why=" ", by=olu.actor, at=NOW)
    assert not Move.objects.exists()


@pytest.mark.parametrize("event", list(E))
@pytest.mark.parametrize("state", list(S))
def test_each_event_in_each_state_of_a_kept_organization(
    region: Region, state: OrganizationState, event: OrganizationEvent
) -> None:
    """The row moves as the table says and one line is written, or nothing changes at all."""
    region.riverside.state = state
    region.riverside.save()
    after = NEXT.get((state, event))
    by = Who(kind="user", id=region.admin.user.public_id, name=region.admin.user.name)
    try:
        with transaction.atomic():
            moved = moving.move(region.riverside.pk, event, by=by, why=WHY, at=NOW)
    except NotNow:
        assert after is None
        assert not Move.objects.exists()
        region.riverside.refresh_from_db()
        assert region.riverside.state == state
    else:
        assert moved.state == after
        line = Move.objects.get()
        assert (line.before, line.event, line.after) == (state, event, after)


@pytest.mark.parametrize(
    "verb", ["activate", "suspend", "resume", "offboard", "stay", "go_untested"]
)
def test_only_the_operator_moves_another_organization(region: Region, verb: str) -> None:
    """Not its neighbour's administrator, not a physician."""
    for person in (region.admin, region.ben, region.olga):
        with pytest.raises(NotAllowed):
            getattr(services, verb)(organization=region.lakeside, why=WHY, by=person.actor, at=NOW)


def test_the_operators_own_organization_has_no_life_cycle(olu: Person) -> None:
    """Somebody must be left who can decide."""
    with pytest.raises(NotNow):
        services.suspend(organization=olu.organization, why=WHY, by=olu.actor, at=NOW)


def test_history_is_neither_rewritten_nor_deleted(checked: Organization) -> None:
    """The database itself refuses."""
    line = Move.objects.filter(organization=checked).latest("pk")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Move.objects.filter(pk=line.pk).update(reason="Another one")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        line.delete()


def test_history_knows_the_table(region: Region) -> None:
    """A line that jumps is no line."""
    words = {"by_kind": "user", "by_name": "X", "reason": "x", "at": NOW}
    with pytest.raises(IntegrityError, match="a_move_is_of_the_table"), transaction.atomic():
        Move.objects.create(
            organization=region.riverside, event="activate", before="applied", after="active",
            **words,
        )  # fmt: skip


def test_terms_are_signed_by_name_and_function_for_what_was_read(checked: Organization) -> None:
    """Another wording, or nobody's name, is no signature."""
    for wrong in ({"sha256": "0" * 64}, {"signed_by": " "}, {"function": ""}):
        with pytest.raises(SignatureMissing):
            sign(checked, **wrong)
    sign(checked)
    line = services.history(checked.pk).last()
    assert line is not None
    assert line.detail["sha256"] == terms.SHA256
    assert line.detail["signed_by"] == "Dr Chen"


def test_terms_stay_as_they_were_published() -> None:
    """A new wording is a new version with a new hash."""
    assert (terms.VERSION, terms.SHA256[:16]) == ("2026-1", "822a0d312cec8f01")


def test_while_it_prepares_only_its_administrator_signs_in(
    checked: Organization, olu: Person
) -> None:
    """A radiologist who was made one already waits; the administrator has no other role yet."""
    sam = sam_of(checked)
    assert (sam.roles, sam.apart) == (frozenset({Role.ADMINISTRATOR}), True)
    other = make_person("Rita Klee", checked, Role.RADIOLOGIST, Role.ADMINISTRATOR)
    assert other.actor.roles == {Role.ADMINISTRATOR}
    doctor = make_person("Dora Lem", checked, Role.RADIOLOGIST)
    assert services.actor_for_session(doctor.user, {}, assured=True) is None
    to_active(checked, olu)
    assert doctor.actor.roles == {Role.RADIOLOGIST}
    assert not doctor.actor.apart


def test_a_machine_of_one_that_prepares_tries_its_own_line(
    region: Region, checked: Organization
) -> None:
    """Even where the region's policy opens everything: it tries the line with its own."""
    study = region.study()
    RegionRow.objects.create(pk=1, implicit_policy="all_normal")
    secret = issue_token(
        organization=checked, name="PACS", scopes=["dicomweb.read"], at=NOW,
        purpose=Purpose.OPERATIONS,
    )  # fmt: skip
    machine = actor_for_token(secret, at=NOW)
    assert machine.active
    assert machine.may(Duty.UPLOAD)
    assert not Study.objects.visible_to(machine, NOW).exists()
    assert rule_for(machine, study) == Rule.ACTOR_INACTIVE
    later = services.actor_at(machine.who, at=NOW + timedelta(seconds=1))
    assert later is not None
    assert later.apart
    Organization.objects.filter(pk=checked.pk).update(state=S.ACTIVE)
    member = actor_for_token(secret, at=NOW)
    assert Study.objects.visible_to(member, NOW).exists()
    assert rule_for(member, study) == Rule.IMPLICIT_POLICY


def rule_for(actor: Actor, study: Study) -> Rule:
    """By which rule it is decided whether the actor knows of it."""
    return decide_one(actor, Action.DISCOVER, study.subject, at=NOW).basis.rule


def test_suspension_ends_sign_in_and_reading_at_the_next_request(
    client: Client, region: Region, olu: Person
) -> None:
    """Open streams too; and with resuming all is as it was."""
    ada = region.ada.actor
    sign_in(client, region.ada.user)
    assert client.get("/studies/").status_code == 200
    services.suspend(organization=region.riverside, why=WHY, by=olu.actor, at=NOW)
    assert client.get("/studies/").status_code == 403
    assert services.still_acting(ada, at=NOW) is None
    services.resume(organization=region.riverside, why=WHY, by=olu.actor, at=NOW)
    assert client.get("/studies/").status_code == 200
    assert services.still_acting(ada, at=NOW) == ada


@pytest.mark.parametrize("verb", ["suspend", "offboard"])
def test_nothing_that_it_shared_is_open_while_it_is_away(
    region: Region, olu: Person, verb: str
) -> None:
    """Decision and fence agree; after the suspension Ben sees it again."""
    region.permit()
    study = region.study()
    ben = region.ben.actor
    assert Study.objects.visible_to(ben, NOW).exists()
    getattr(services, verb)(organization=region.riverside, why=WHY, by=olu.actor, at=NOW)
    study.organization.refresh_from_db()
    assert not Study.objects.visible_to(ben, NOW).exists()
    assert rule_for(ben, study) == Rule.CUSTODIAN_INACTIVE


def test_a_suspended_machine_sends_and_does_nothing_else(region: Region, olu: Person) -> None:
    """What comes in is kept: the one duty that is left to it, and to no person."""
    secret = issue_token(
        organization=region.riverside, name="PACS", scopes=["dicomweb.write"], at=NOW
    )
    services.suspend(organization=region.riverside, why=WHY, by=olu.actor, at=NOW)
    machine = actor_for_token(secret, at=NOW)
    assert [duty for duty in Duty if machine.may(duty)] == [Duty.UPLOAD]
    region.study()
    assert not Study.objects.visible_to(machine, NOW).exists()
    services.offboard(organization=region.riverside, why=WHY, by=olu.actor, at=NOW)
    assert not actor_for_token(secret, at=NOW).may(Duty.UPLOAD)


def test_leaving_is_for_its_own_administrator_to_decide_too(region: Region) -> None:
    """Of the own organization, and of no other."""
    services.offboard(organization=region.riverside, why=WHY, by=region.admin.actor, at=NOW)
    admin = region.admin.actor
    assert admin.roles == {Role.ADMINISTRATOR}
    assert admin.apart
    assert services.actor_for_session(region.ada.user, {}, assured=True) is None
    with pytest.raises(NotAllowed):
        services.offboard(organization=region.hilltop, why=WHY, by=admin, at=NOW)


def test_what_was_is_replayed_as_it_was(region: Region, olu: Person) -> None:
    """Before the suspension Riverside was active, whatever it is now."""
    after = NOW + timedelta(hours=1)
    services.suspend(organization=region.riverside, why=WHY, by=olu.actor, at=after)
    before = services.organizations_at(["riverside"], at=NOW)["riverside"]
    now = services.organizations_at(["riverside"], at=after)["riverside"]
    assert (before.active, now.active) == (True, False)
    assert now.state == S.SUSPENDED
    ada = services.actor_at(_ada(region), at=NOW)
    assert ada is not None
    assert ada.active
    suspended = services.actor_at(_ada(region), at=after)
    assert suspended is not None
    assert not suspended.active


def _ada(region: Region) -> Who:
    user = region.ada.user
    return Who("user", user.public_id, user.name, "riverside", "", Purpose.TREATMENT)
