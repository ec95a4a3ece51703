"""Letting in who has a link and its code; and who that is, at each request anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from sharing.archive.models import Study
from sharing.audit.rules import Ground, Who
from sharing.audit.services import record_all
from sharing.exchange.errors import ProofWrong, TriedTooOften
from sharing.exchange.models import LinkTry, ShareLink
from sharing.exchange.rules import (
    TRIED_WITHIN,
    TRIES_COUNTED,
    TRIES_OF_ALL,
    TRIES_OF_ONE,
    VISIT_LASTS,
    LinkState,
    proof_of,
    same,
)
from sharing.kernel import scope
from sharing.kernel.errors import DomainError
from sharing.kernel.purposes import Action, Purpose
from sharing.kernel.tokens import fingerprint
from sharing.tenants.rules import Actor
from sharing.tenants.services import actor_for_link

from .giving import whats_of

WRONG = Ground(permitted=False, rule="proof_wrong", reason="The code was not right")
NOT_OPEN = Ground(permitted=False, rule="link_not_open", reason="The link was not open")


@dataclass(frozen=True)
class Opening:
    """Somebody came in by a link: its name, and until when their browser stays inside."""

    link: str
    until: datetime


@scope.as_house()  # whoever comes is nobody yet
def open_link(*, secret: str, code: str, client: str, at: datetime) -> Opening:
    """Use a link once. `client` tells where the request comes from; it is kept as a hash.

    Raises ProofWrong for a link that is unknown, not open, or a code that is not right; and
    TriedTooOften. A wrong code is counted and logged though the answer is a refusal.
    """
    outcome = _opened(secret, code, fingerprint(f"{secret}@{client}"), at)
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


@transaction.atomic
def _opened(secret: str, code: str, client: str, at: datetime) -> Opening | DomainError:
    """Under the link's lock: two who come at once for the last use don't both get it."""
    link = (
        ShareLink.objects.select_for_update(of=("self",))
        .select_related("share__custodian", "share__shared_by")
        .filter(secret_hash=fingerprint(secret))
        .first()
    )
    if link is None:
        return ProofWrong()
    if _tried_too_often(link, client, at):
        return TriedTooOften()
    if not same(link.proof_hash, proof_of(secret, code)):
        return _refused(link, client, at)
    if link.state_at(at) != LinkState.OPEN or not _lasts(link, at):
        _log_refusal(link, NOT_OPEN, at)
        return ProofWrong()
    link.used += 1
    link.last_used_at = at
    link.save(update_fields=["used", "last_used_at"])
    record_all(who=_who(link), action="link.open", at=at, whats=whats_of(link))
    return Opening(link.public_id, min(at + VISIT_LASTS, link.expires_at))


@scope.as_house()  # as above
def bearer(link: str, *, at: datetime) -> Actor | None:
    """Who comes by that link now; None when it has ended: asked at each request."""
    found = (
        ShareLink.objects.lasting(at)
        .select_related("share__shared_by")
        .filter(public_id=link)
        .first()
    )
    return _actor(found) if found else None


def studies_of(actor: Actor, *, at: datetime) -> Sequence[Study]:
    """What a bearer may see now, newest first; the fence decides."""
    inside = Study.objects.visible_to(actor, at, Action.DISCOVER).with_owners()
    return list(inside.order_by("-study_date", "-pk"))


@scope.as_house()  # as above
def opens_now(link: str, *, at: datetime) -> bool:
    """Whether whoever has that link and the code would see a study by it."""
    actor = bearer(link, at=at)
    return actor is not None and Study.objects.visible_to(actor, at, Action.DISCOVER).exists()


def _tried_too_often(link: ShareLink, client: str, at: datetime) -> bool:
    """Whoever knows the link can make its own address wait, and hardly that of others."""
    link.tries.filter(at__lte=at - TRIES_COUNTED).delete()
    mine = link.tries.filter(client=client, at__gt=at - TRIED_WITHIN).count()
    return mine >= TRIES_OF_ONE or link.tries.count() >= TRIES_OF_ALL


def _refused(link: ShareLink, client: str, at: datetime) -> DomainError:
    LinkTry.objects.create(link=link, client=client, at=at)
    link.failed += 1
    link.save(update_fields=["failed"])
    _log_refusal(link, WRONG, at)
    return ProofWrong()


def _log_refusal(link: ShareLink, ground: Ground, at: datetime) -> None:
    whats = whats_of(link)
    record_all(who=_who(link), action="link.open.refused", at=at, whats=whats, ground=ground)


def _lasts(link: ShareLink, at: datetime) -> bool:
    return ShareLink.objects.lasting(at).filter(pk=link.pk).exists()


def _actor(link: ShareLink) -> Actor:
    share = link.share
    return actor_for_link(
        link=share.public_id, given_by=share.shared_by.name, purpose=Purpose(share.purpose)
    )


def _who(link: ShareLink) -> Who:
    return _actor(link).who
