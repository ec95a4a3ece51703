"""How an organization comes to the region: apply, verify, ask, and its documents are accepted."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.text import slugify

from sharing.audit.rules import SYSTEM, Who
from sharing.outbox.services import promise
from sharing.tenants.errors import LinkInvalid, Taken
from sharing.tenants.models import Letter, Membership, Organization, Region, User
from sharing.tenants.rules import (
    BEGINS,
    Actor,
    Duty,
    OrganizationEvent,
    OrganizationState,
    Role,
    mark_of,
)

from .acting import require
from .moving import move, write_move
from .people import add_member

LETTER_LASTS = timedelta(days=7)


@dataclass(frozen=True)
class Application:
    """What a hospital says of itself on the public page."""

    name: str
    facility_identifier: str
    country: str
    contact_name: str
    contact_email: str
    patient_id_issuer: str
    privacy_officer_name: str
    privacy_officer_email: str
    native_name: str = ""
    kind: str = "hospital"
    contact_phone: str = ""
    uid_root: str = ""
    ae_titles: list[str] = field(default_factory=list)
    mark: str = ""


@transaction.atomic
def apply(*, application: Application, at: datetime) -> tuple[Organization, str]:
    """Take an application and owe the contact a letter.

    Returns the organization and the secret of the letter's link. Raises Taken when the facility
    is registered already.
    """
    try:
        with transaction.atomic():
            organization = Organization.objects.create(
                **vars(application) | {"mark": application.mark or mark_of(application.name)},
                code=_free_code(application.name),
                applied_at=at,
            )
    except IntegrityError:
        raise Taken() from None
    secret = send_letter(Letter.Kind.VERIFY_APPLICATION, organization, at=at)
    by = Who(kind="anonymous", name=application.contact_name)
    write_move(organization, BEGINS, before="", by=by, why="Registered on the page.", at=at)
    return organization, secret


def send_letter(kind: Letter.Kind, organization: Organization, *, at: datetime) -> str:
    """Write a letter to the organization's contact and owe its sending; returns its secret."""
    letter = Letter.objects.create(
        kind=kind,
        organization=organization,
        email=organization.contact_email,
        name=organization.contact_name,
        sent_at=at,
        expires_at=at + LETTER_LASTS,
    )
    promise("notify.send_letter", at=at, letter_id=letter.pk)
    return letter.secret


@transaction.atomic
def verify_application(*, secret: str, at: datetime) -> Organization:
    """The contact followed the link: the address is theirs. Raises LinkInvalid."""
    letter = use_letter(Letter.Kind.VERIFY_APPLICATION, secret, at=at)
    who = Who(kind="anonymous", name=letter.name)
    why = "The contact followed the link in the e-mail."
    organization = move(letter.organization_id, OrganizationEvent.VERIFY, by=who, why=why, at=at)
    promise("notify.tell_operators", at=at, organization_id=organization.pk)
    return organization


def use_letter(kind: Letter.Kind, secret: str, *, at: datetime) -> Letter:
    """Spend a letter. Raises LinkInvalid when unknown, used or too old."""
    letter = open_letter(kind, secret, at=at)
    letter.used_at = at
    letter.save(update_fields=["used_at"])
    return letter


def open_letter(kind: Letter.Kind, secret: str, *, at: datetime) -> Letter:
    """The letter of that secret, locked and unspent. Raises LinkInvalid."""
    letter = (
        Letter.objects.select_for_update()
        .filter(kind=kind, public_id=Letter.name_in(secret))
        .first()
    )
    if letter is None or not letter.open_at(at):
        raise LinkInvalid()
    return letter


def application_behind(kind: Letter.Kind, secret: str, *, at: datetime) -> Organization:
    """Whose application an unspent letter is about; reading spends nothing. Raises LinkInvalid."""
    letter = (
        Letter.objects.select_related("organization")
        .filter(kind=kind, public_id=Letter.name_in(secret))
        .first()
    )
    if letter is None or not letter.open_at(at):
        raise LinkInvalid()
    return letter.organization


def to_verify(*, secret: str, at: datetime) -> Organization:
    """The application whose address a letter would verify. Raises LinkInvalid."""
    return application_behind(Letter.Kind.VERIFY_APPLICATION, secret, at=at)


def to_answer(*, secret: str, at: datetime) -> Organization:
    """The application that the operator asked about. Raises LinkInvalid."""
    return application_behind(Letter.Kind.ANSWER_QUESTION, secret, at=at)


def applications(actor: Actor) -> QuerySet[Organization]:
    """All that ever applied, newest first. Raises NotAllowed."""
    require(actor, Duty.APPROVE_ORGANIZATIONS)
    return Organization.objects.exclude(kind=Organization.Kind.OPERATOR).order_by("-applied_at")


@transaction.atomic
def ask(*, organization: Organization, question: str, by: Actor, at: datetime) -> None:
    """The operator asks the applicant something, by a letter with a link to answer."""
    require(by, Duty.APPROVE_ORGANIZATIONS)
    moved = move(organization.pk, OrganizationEvent.ASK, by=by.who, why=question, at=at)
    moved.question, moved.answer = question, ""
    moved.save(update_fields=["question", "answer"])
    send_letter(Letter.Kind.ANSWER_QUESTION, moved, at=at)


@transaction.atomic
def answer_question(*, secret: str, answer: str, at: datetime) -> Organization:
    """The applicant answers; the application waits for the operator again. Raises LinkInvalid."""
    letter = use_letter(Letter.Kind.ANSWER_QUESTION, secret, at=at)
    who = Who(kind="anonymous", name=letter.name)
    moved = move(letter.organization_id, OrganizationEvent.ANSWER, by=who, why=answer, at=at)
    moved.answer = answer
    moved.save(update_fields=["answer"])
    promise("notify.tell_operators", at=at, organization_id=moved.pk)
    return moved


@transaction.atomic
def accept_documents(
    *,
    organization: Organization,
    by: Actor,
    at: datetime,
    why: str = "The documents are in order.",
) -> User:
    """The documents are in order; makes the first administrator, who gets a letter to begin with.

    Until the organization is active its administrators prepare, and nobody else signs in.
    """
    require(by, Duty.APPROVE_ORGANIZATIONS)
    moved = _decide(organization.pk, OrganizationEvent.CHECK, by, why, at)
    user = User.objects.filter(email=moved.contact_email.lower()).first()
    if user is None:
        user = User.objects.create_user(moved.contact_email, moved.contact_name)
        user.must_change_password = True
        user.save(update_fields=["must_change_password"])
    add_member(organization=moved, user=user, role=Role.ADMINISTRATOR, by=by.who, at=at)
    promise("notify.send_welcome", at=at, user_id=user.pk, organization_id=moved.pk)
    return user


@transaction.atomic
def refuse(*, organization: Organization, reason: str, by: Actor, at: datetime) -> None:
    """Turn an application down, with the reason."""
    require(by, Duty.APPROVE_ORGANIZATIONS)
    moved = _decide(organization.pk, OrganizationEvent.REFUSE, by, reason, at)
    moved.question = reason
    moved.save(update_fields=["question"])
    promise("notify.send_refusal", at=at, organization_id=moved.pk)


@transaction.atomic
def found_operator(*, name: str, email: str, person: str, password: str, at: datetime) -> User:
    """The region's beginning: its settings, its operator and the operator's first person."""
    Region.objects.get_or_create(pk=1, defaults={"name": name})
    organization = Organization.objects.create(
        code="operator",
        name=name,
        mark=mark_of(name),
        kind=Organization.Kind.OPERATOR,
        state=OrganizationState.ACTIVE,
        facility_identifier="operator",
        country="XX",
        contact_name=person,
        contact_email=email,
        patient_id_issuer="operator",
        privacy_officer_name=person,
        privacy_officer_email=email,
        applied_at=at,
        decided_at=at,
    )
    user = User.objects.create_user(email, person, password)
    add_member(organization=organization, user=user, role=Role.OPERATOR, by=SYSTEM, at=at)
    return user


def founded() -> bool:
    """Whether the region has begun."""
    return Membership.objects.filter(role=Role.OPERATOR).exists()


def _decide(
    organization_id: int, event: OrganizationEvent, by: Actor, why: str, at: datetime
) -> Organization:
    moved = move(organization_id, event, by=by.who, why=why, at=at)
    moved.decided_at = at
    moved.save(update_fields=["decided_at"])
    return moved


def _free_code(name: str) -> str:
    stem = slugify(name).split("-")[0][:30] or "organization"
    taken = set(Organization.objects.filter(code__startswith=stem).values_list("code", flat=True))
    numbers = (f"{stem}{n}" for n in range(2, len(taken) + 3))
    return stem if stem not in taken else next(code for code in numbers if code not in taken)
