"""Making a link, listing those of one's organization, ending one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from sharing.access.errors import ShareInvalid
from sharing.access.models import Grant
from sharing.access.rules import Facts, Subject
from sharing.access.services import SHARED_ACTIONS, Preview, Wanted, end_grants, foresee, give
from sharing.audit.rules import What
from sharing.audit.services import record_all
from sharing.exchange.errors import LinkNotFound
from sharing.exchange.models import ShareLink
from sharing.exchange.rules import LONGEST, MOST_USES, good_code, new_code, proof_of
from sharing.kernel.purposes import Action, Purpose
from sharing.kernel.tokens import fingerprint, new_secret
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import PURPOSES, Actor, Duty, Role


@dataclass(frozen=True)
class LinkWanted:
    """What a link is to open, from when until when, how often; a blank `code`: we make one."""

    purpose: Purpose
    until: datetime
    not_before: datetime | None = None
    uses: int = 1
    actions: tuple[Action, ...] = SHARED_ACTIONS
    note: str = ""
    code: str = ""


@dataclass(frozen=True)
class Made:
    """A new link, with what is said this once and kept nowhere."""

    link: ShareLink
    secret: str
    code: str


def preview_link(
    subjects: Sequence[Subject],
    *,
    purpose: Purpose,
    until: datetime,
    by: int,
    at: datetime,
    actions: Sequence[Action] = SHARED_ACTIONS,
    facts: Facts | None = None,
) -> list[Preview]:
    """Of each study, whether whoever had the link could do this; if not, what is missing.

    `by` is the organization that would give it.
    """
    return foresee(subjects, _share_of(purpose, until, actions), at, facts, by=by)


@transaction.atomic
def make_link(*, subjects: Sequence[Subject], wanted: LinkWanted, by: Actor, at: datetime) -> Made:
    """Give studies away to whoever has the link and the code, inside what the patients permitted.

    Raises NotAllowed, ShareInvalid, NotCovered when of any study no consent lets links be given
    for this, or ShareWidens; then there is no link.
    """
    _check(wanted, at)
    share = give(
        subjects,
        _share_of(wanted.purpose, wanted.until, wanted.actions),
        note=wanted.note,
        by=by,
        at=at,
    )
    secret, code = new_secret(), wanted.code or new_code()
    link = ShareLink.objects.create(
        share=share,
        secret_hash=fingerprint(secret),
        proof_hash=proof_of(secret, code),
        not_before=wanted.not_before or at,
        expires_at=wanted.until,
        uses=wanted.uses,
    )
    _log(by, "link.make", link, at)
    return Made(link, secret, code)


def links_made(actor: Actor) -> QuerySet[ShareLink]:
    """The links that the actor's organization gave, and all to what it holds, newest first.

    Raises NotAllowed.
    """
    if not (actor.may(Duty.SHARE) or actor.may(Duty.READ_LOG)):
        raise NotAllowed()
    here = actor.organization_id
    related = ("share__shared_by", "share__shared_for", "share__custodian")
    return (
        ShareLink.objects.filter(Q(share__custodian_id=here) | Q(share__shared_for_id=here))
        .select_related(*related)
        .prefetch_related("share__grants__patient")
        .order_by("-share__shared_at", "-pk")
    )


def link_made(actor: Actor, *, public_id: str) -> ShareLink:
    """One of them. Raises NotAllowed, LinkNotFound."""
    link = links_made(actor).filter(public_id=public_id).first()
    if link is None:
        raise LinkNotFound()
    return link


def links_to(actor: Actor, subject: Subject, *, at: datetime) -> list[ShareLink]:
    """Those of them that open one study now or will."""
    given = Grant.objects.about(
        custodian=subject.custodian_id, patient=subject.patient_id, study_uid=subject.study_uid
    )
    alive = links_made(actor).filter(revoked_at=None, expires_at__gt=at)
    return list(alive.filter(share__in=given.filter(revoked_at=None).values("share_id")))


@transaction.atomic
def revoke_link(*, public_id: str, by: Actor, at: datetime) -> ShareLink:
    """End a link at once, for those too who came in by it. Raises NotAllowed, LinkNotFound."""
    pk = link_made(by, public_id=public_id).pk
    if not (by.may(Duty.SHARE) or by.may(Duty.GUARD)):
        raise NotAllowed()  # an auditor reads
    link = ShareLink.objects.select_for_update().get(pk=pk)
    if link.revoked_at is None:
        link.revoked_at, link.revoked_by = at, by.name
        link.save(update_fields=["revoked_at", "revoked_by"])
        end_grants(link.share.grants.filter(revoked_at=None), at=at)
        _log(by, "link.revoke", link, at)
    return link


def _share_of(purpose: Purpose, until: datetime, actions: Sequence[Action]) -> Wanted:
    return Wanted(None, purpose, until, tuple(actions), link="the new link")


def _check(wanted: LinkWanted, at: datetime) -> None:
    if wanted.purpose not in PURPOSES[Role.BEARER]:
        raise ShareInvalid("A link is for treatment, or for the patient’s own request.")
    if not 1 <= wanted.uses <= MOST_USES:
        raise ShareInvalid(f"A link is used between once and {MOST_USES} times.")
    if wanted.until > at + LONGEST:
        raise ShareInvalid("A link lasts three months at most.")
    if wanted.not_before is not None and wanted.not_before >= wanted.until:
        raise ShareInvalid("The link must begin before it ends.")
    if wanted.code and not good_code(wanted.code):
        raise ShareInvalid("The code needs six letters and digits or more, not all alike.")


def _log(by: Actor, action: str, link: ShareLink, at: datetime) -> None:
    """One line for each study, by the link's name: neither its secret nor its code."""
    record_all(who=by.who, action=action, at=at, whats=whats_of(link))


def whats_of(link: ShareLink) -> list[What]:
    """The studies that a link gave away, as the access log names them."""
    grants = link.share.grants.select_related("patient", "custodian").order_by("pk")
    return [
        What(
            custodian=grant.custodian.code,
            patient=grant.patient.public_id,
            study_uid=grant.study_uid,
            detail={"link": link.public_id},
        )
        for grant in grants
    ]
