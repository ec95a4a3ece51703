"""An organization took a step: its people are told, and the operators where it waits for them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.urls import reverse

from sharing.tenants.models import Membership, Move, Organization
from sharing.tenants.rules import Role
from sharing.tenants.services import operators_mail

from .posting import absolute, post
from .rules import MOVED, OPERATORS_TOLD, Addressee


def tell_moved(*, move_id: int, at: datetime) -> None:
    """Once to each address, however often rung; a failing mailbox keeps nobody else in the dark."""
    move = Move.objects.select_related("organization").get(pk=move_id)
    if move.event not in MOVED:
        return
    context = {"move": move, "sentence": MOVED[move.event]}
    own = absolute(reverse("web:home"))
    failures = []
    for to, link in _whom(move, own):
        try:
            _tell(move, to, context | {"link": link}, at)
        except (OSError, ValueError) as error:
            failures.append(error)
    if failures:
        raise failures[0]


def _tell(move: Move, to: Addressee, context: dict[str, Any], at: datetime) -> None:
    key = f"moved:{move.pk}:{to.email}"
    post(key, to, "moved", move.organization, lambda: context, at=at)


def _whom(move: Move, own: str) -> Iterator[tuple[Addressee, str]]:
    organization = move.organization
    told = {address.email.lower(): address for address in _people_of(organization)}
    yield from ((address, own) for address in told.values())
    if move.event in OPERATORS_TOLD:
        link = absolute(reverse("web:application", args=[organization.code]))
        yield from ((Addressee(mail, ""), link) for mail in operators_mail() if mail not in told)


def _people_of(organization: Organization) -> Iterator[Addressee]:
    """The contact, the privacy officer and the administrators: once for each address."""
    yield Addressee(organization.contact_email, organization.contact_name)
    yield Addressee(organization.privacy_officer_email, organization.privacy_officer_name)
    held = Membership.objects.filter(
        organization=organization, role=Role.ADMINISTRATOR, ended_at=None, user__is_active=True
    ).select_related("user")
    yield from (Addressee(row.user.email, row.user.name) for row in held)
