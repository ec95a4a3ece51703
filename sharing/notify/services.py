"""Tell people: by e-mail and by a notice in the portal, each once, however often rung.

Neither carries patient data. What was shared stands behind the link, and the fence before it.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse

from sharing.access.asking import RequestState
from sharing.access.models import AccessRequest, Glass, Grant, Share
from sharing.access.previews import lost_sight
from sharing.archive.models import Study
from sharing.consent.models import Consent
from sharing.consent.rules import Decision, GranteeKind
from sharing.kernel.errors import Absent
from sharing.tenants.models import Letter, Membership, Organization, User
from sharing.tenants.rules import DUTIES, Actor, Duty, OrganizationState, Role
from sharing.tenants.services import (
    first_password,
    physicians_mail,
    privacy_officers,
)

from .models import Notice, Recall
from .posting import Context, absolute, notify, post, post_each, post_to_all
from .rules import (
    ANSWERED,
    LETTER_PAGES,
    REVOKED,
    Addressee,
    RecallState,
    application_text,
    asked_text,
    glass_text,
    recall_text,
    shared_text,
)
from .sight import in_sight, recipients


def send_letter(*, letter_id: int, at: datetime) -> None:
    """Send a letter's link, unless it is used or too old by now."""
    letter = Letter.objects.select_related("organization").get(pk=letter_id)
    if not letter.open_at(at):
        return
    page = reverse(LETTER_PAGES[letter.kind], args=[letter.secret])
    context = {"letter": letter, "link": absolute(page)}
    post(
        f"letter:{letter.pk}",
        Addressee(letter.email, letter.name),
        letter.kind,
        letter.organization,
        lambda: context,
        at=at,
    )


def tell_operators(*, organization_id: int, at: datetime) -> None:
    """An application waits for a decision, for the first time or after an answer."""
    organization = Organization.objects.get(pk=organization_id)
    if organization.state != OrganizationState.VERIFIED:
        return  # decided before the bell was answered
    round_ = Letter.objects.filter(organization=organization, used_at__isnull=False).count()
    key = f"application:{organization.pk}:{round_}"
    link = reverse("web:application", args=[organization.code])

    def context() -> dict[str, Any]:
        return {"link": absolute(link)}

    text = application_text(organization.name)
    operators = list(_operators())
    for member in operators:
        notify(member.user, member.organization, "application", text, link, key, at=at)
    people = [member.user for member in operators]
    post_to_all(people, key, "application", organization, context, at=at)


def send_welcome(*, user_id: int, organization_id: int, at: datetime) -> None:
    """How a new organization's first administrator begins: address, first password, next steps."""
    user = User.objects.get(pk=user_id)
    organization = Organization.objects.get(pk=organization_id)

    def context() -> dict[str, Any]:
        link = absolute(reverse("account_login"))
        return {"user": user, "password": first_password(user=user), "link": link}

    to = Addressee(user.email, user.name)
    post(f"welcome:{organization.pk}:{user.pk}", to, "welcome", organization, context, at=at)


def send_refusal(*, organization_id: int, at: datetime) -> None:
    """The operator turned the application down, with the reason."""
    organization = Organization.objects.get(pk=organization_id)
    to = Addressee(organization.contact_email, organization.contact_name)
    context = {"reason": organization.question}
    post(f"refusal:{organization.pk}", to, "refusal", organization, lambda: context, at=at)


def tell_shared(*, share_id: int, at: datetime) -> None:
    """Studies came to an organization: tell its treating people, or the one who was named; of them
    those who see something of it.

    Says who shared and how many; neither the studies, nor the patient, nor the note.
    """
    share = Share.objects.select_related(
        "custodian", "shared_by", "shared_for", "to_organization", "to_team"
    ).get(pk=share_id)
    to = share.to_organization
    if to is None:
        return
    where, link, key = share.shared_for or share.custodian, shared_list(), f"shared:{share.pk}"
    texts = {
        user: shared_text(share.shared_by.name, where.name, count)
        for user, count in in_sight(share, to, recipients(share, to), at=at).items()
    }
    contexts: dict[User, Context] = {}
    for user, text in texts.items():
        notify(user, to, "shared", text, link, key, at=at)
        contexts[user] = partial(dict, text=text, link=absolute(link))
    post_each(contexts, key, "shared", to, at=at)


def tell_glass(*, glass_id: int, at: datetime) -> None:
    """Somebody used emergency access: the privacy officers of their organization and of every
    organization that reviews it are told, by notice and by e-mail; where an organization has no
    officer with an account, its officer's address is written to.
    """
    glass = Glass.objects.select_related("user", "organization").get(pk=glass_id)
    text = glass_text(glass.user.name, glass.organization.name, glass.hours)
    link = reverse("web:emergencies")
    reviewing = Organization.objects.filter(pk__in=glass.reviews.values("organization"))
    for organization in {glass.organization, *reviewing}:
        key = f"glass:{glass.pk}:{organization.pk}"
        people = list(privacy_officers(organization.pk).order_by("pk"))
        for user in people:
            notify(user, organization, "glass", text, link, key, at=at)
        context = {"text": text, "link": absolute(link)}
        post_to_all(people, key, "glass", organization, partial(dict, context), at=at)
        if not people:
            to = Addressee(organization.privacy_officer_email, organization.privacy_officer_name)
            post(key, to, "glass", organization, partial(dict, context), at=at)


def tell_revoked(*, consent_id: int, at: datetime) -> None:
    """A permit ended: those who saw studies by it alone are told that they left their list.

    Nobody else: a notice without a loss would tell of what the person could never see.
    """
    consent = Consent.objects.get(pk=consent_id)
    if consent.decision != Decision.PERMIT:
        return
    studies = Study.objects.with_owners().filter(patient=consent.patient_id)
    lost = lost_sight(
        consent=consent,
        subjects=[study.subject for study in studies],
        people=_who_could_see(consent),
        at=consent.ended_at or at,
    )
    for user, organization in lost:
        link, key = reverse("web:studies"), f"revoked:{consent.pk}"
        notify(user, organization, "revoked", REVOKED, link, key, at=at)


def tell_asked(*, request_id: int, at: datetime) -> None:
    """Somebody asks for access: those at the custodian who may answer are told, and reminded."""
    asked = AccessRequest.objects.select_related("asked_by", "asked_for", "custodian").get(
        pk=request_id
    )
    if asked.state != RequestState.ASKED:
        return
    text = asked_text(asked.asked_by.name, asked.asked_for.name)
    link = reverse("web:answer-request", args=[asked.public_id])
    key = f"asked:{asked.pk}:{'again' if asked.reminded_at else 'first'}"
    people = list(who_share(asked.custodian_id))
    for user in people:
        notify(user, asked.custodian, "asked", text, link, key, at=at)
    context = {"text": text, "link": absolute(link)}
    post_to_all(people, key, "asked", asked.custodian, lambda: context, at=at)


def tell_answered(*, request_id: int, at: datetime) -> None:
    """The answer came: who asked is told that there is one."""
    asked = AccessRequest.objects.select_related("asked_by", "asked_for").get(pk=request_id)
    link, key = reverse("web:requests"), f"answered:{asked.pk}"
    notify(asked.asked_by, asked.asked_for, "answered", ANSWERED, link, key, at=at)
    context = {"text": ANSWERED, "link": absolute(link)}
    post_to_all([asked.asked_by], key, "answered", asked.asked_for, lambda: context, at=at)


def tell_recall(*, recall_id: int, at: datetime) -> None:
    """Copies are recalled: who took them is told of their own, and the recipient's privacy officers
    of all."""
    recall = Recall.objects.select_related("custodian", "organization").get(pk=recall_id)
    there = recall.organization
    if there is None or recall.state != RecallState.WAITING:
        return
    copies = list(recall.copies.all())
    taken: Counter[str] = Counter()
    for copy in copies:
        taken[copy.actor_id if copy.actor_kind == "user" else ""] += copy.count
    link, key = reverse("web:recall", args=[recall.public_id]), f"recall:{recall.pk}"
    officers = privacy_officers(there.pk)
    wanted = Q(pk__in=officers.values("pk")) | Q(public_id__in=set(taken) - {""})
    contexts: dict[User, Context] = {}
    for user in User.objects.filter(wanted, is_active=True).order_by("pk"):
        count = taken.total() if user in officers else taken[user.public_id]
        text = recall_text(recall.custodian.name, count)
        notify(user, there, "recall", text, link, key, at=at)
        contexts[user] = partial(dict, text=text, link=absolute(link))
    post_each(contexts, key, "recall", there, at=at)
    if not officers.exists():
        to = Addressee(there.privacy_officer_email, there.privacy_officer_name)
        text = recall_text(recall.custodian.name, taken.total())
        told = {"text": text, "link": absolute(link)}
        post(key, to, "recall", there, partial(dict, told), at=at)


def who_share(organization_id: int) -> QuerySet[User]:
    """Those there whose work is to share, and to answer who asks."""
    roles = [role.value for role in Role if Duty.SHARE in DUTIES[role]]
    held = Membership.objects.filter(
        organization_id=organization_id, role__in=roles, ended_at=None, user__is_active=True
    )
    return User.objects.filter(pk__in=held.values("user_id")).order_by("pk")


def notices_for(actor: Actor) -> QuerySet[Notice]:
    """The actor's notices at the organization that they act for, newest first."""
    if actor.user_id is None:  # a partner's machine is told nothing
        return Notice.objects.none()
    found = Notice.objects.filter(user_id=actor.user_id, organization_id=actor.organization_id)
    return found.order_by("-made_at", "-pk")


def unread_count(actor: Actor) -> int:
    """How many of them are new."""
    return notices_for(actor).filter(read_at=None).count()


def mark_read(*, notice_id: int, by: Actor, at: datetime) -> Notice:
    """The person opened a notice. Raises Absent for another's."""
    notice = notices_for(by).filter(pk=notice_id).first()
    if notice is None:
        raise Absent()
    if notice.read_at is None:
        notice.read_at = at
        notice.save(update_fields=["read_at"])
    return notice


def mark_all_read(*, by: Actor, at: datetime) -> int:
    """All the actor's notices are read; returns how many were new."""
    return notices_for(by).filter(read_at=None).update(read_at=at)


def shared_list() -> str:
    """Where what was shared is found."""
    return reverse("web:studies") + "?shared=1"


def _operators() -> QuerySet[Membership]:
    return Membership.objects.filter(
        role=Role.OPERATOR, ended_at=None, user__is_active=True
    ).select_related("user", "organization")


def _who_could_see(consent: Consent) -> Iterable[tuple[User, Organization]]:
    """People of the organizations that the consent named, or that the custodian named by it."""
    grantees = consent.grantees.select_related("organization", "user")
    organizations = {grantee.organization for grantee in grantees if grantee.organization}
    if any(grantee.kind == GranteeKind.NAMED_BY_CUSTODIAN for grantee in grantees):
        grants = Grant.objects.filter(custodian=consent.custodian_id, patient=consent.patient_id)
        named = (grant.organization for grant in grants.select_related("organization"))
        organizations |= {organization for organization in named if organization}
    told: dict[int, Organization] = {}
    for organization in organizations:
        for user in physicians_mail(organization.pk):
            told.setdefault(user.pk, organization)
            yield user, organization
    for grantee in grantees:
        if grantee.user and grantee.user_id not in told:
            member = grantee.user.memberships.filter(ended_at=None).order_by("pk").first()
            if member:
                yield grantee.user, member.organization
