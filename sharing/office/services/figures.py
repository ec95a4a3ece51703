"""How an organization's connection does, and how the region does: numbers, never patients."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from allauth.mfa.models import Authenticator
from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.functions import TruncDate

from sharing.archive.models import Batch, Conflict, Delivery, DeliveryItem, Instance
from sharing.archive.rules import Outcome
from sharing.kernel import scope
from sharing.office.models import LinkTest
from sharing.office.services.working import ERRORS_OVER, FINE
from sharing.partners.services import own_clients
from sharing.tenants.models import Membership, Organization, Team
from sharing.tenants.rules import Actor, Duty, OrganizationState
from sharing.tenants.services import agreements, organization_to_run, require

DAYS = 14
WAITING = (OrganizationState.VERIFIED, OrganizationState.TESTED)
"""Where the next step is the operator's."""


@dataclass(frozen=True)
class Card:
    """One organization's scorecard."""

    organization: Organization
    last_image: datetime | None
    waiting_since: datetime | None
    conflicts: int
    errors: list[tuple[str, int]]
    people: int
    without_second_factor: int
    tests: list[LinkTest]
    days: list[tuple[date, int, int]]

    @property
    def refused(self) -> int:
        """Files of the last 30 days that were not taken."""
        return sum(count for _, count in self.errors)

    @property
    def nights(self) -> str:
        """How the last tests went, newest last: `passed` or `failed` for each."""
        return " ".join("passed" if test.passed else "failed" for test in reversed(self.tests))


def own_card(actor: Actor, *, at: datetime) -> Card:
    """The own organization's. Raises NotAllowed."""
    return card(organization_to_run(actor), at=at)


@scope.as_house()  # numbers of all, for who may see none of the rows
def region_cards(actor: Actor, *, at: datetime) -> list[Card]:
    """Of all that are active or suspended. Raises NotAllowed."""
    require(actor, Duty.SET_REGION)
    states = (OrganizationState.ACTIVE, OrganizationState.SUSPENDED)
    rows = Organization.objects.filter(state__in=states).exclude(kind=Organization.Kind.OPERATOR)
    return [card(each, at=at) for each in rows.order_by("name")]


def card(organization: Organization, *, at: datetime) -> Card:
    """Last image, the oldest delivery that waits, errors by class, people without second factor."""
    stored = Delivery.objects.filter(organization=organization, items__outcome=Outcome.STORED)
    waiting = Batch.objects.filter(
        organization=organization, closed_at__isnull=False, received_at=None
    )
    people, without = _people(organization)
    tests = LinkTest.objects.filter(organization=organization, ended_at__isnull=False)
    return Card(
        organization=organization,
        last_image=stored.aggregate(last=Max("received_at"))["last"],
        waiting_since=waiting.aggregate(first=Min("closed_at"))["first"],
        conflicts=Conflict.objects.filter(
            organization=organization, decided_at=None, held=None
        ).count(),
        errors=_errors(organization, at),
        people=people,
        without_second_factor=without,
        tests=list(tests.order_by("-pk")[:DAYS]),
        days=list(_days(organization, at)),
    )


def _people(organization: Organization) -> tuple[int, int]:
    """How many people have a role, and how many of them no second factor."""
    held = Membership.objects.filter(organization=organization, ended_at=None, user__is_active=True)
    users = set(held.values_list("user_id", flat=True))
    known = Authenticator.objects.filter(user_id__in=users).exclude(
        type=Authenticator.Type.RECOVERY_CODES
    )
    return len(users), len(users - set(known.values_list("user_id", flat=True)))


def _errors(organization: Organization, at: datetime) -> list[tuple[str, int]]:
    """Refused files of the last 30 days by class, the most frequent first."""
    rows = DeliveryItem.objects.filter(
        delivery__organization=organization, delivery__received_at__gt=at - ERRORS_OVER
    ).exclude(outcome__in=FINE)
    counts = rows.values_list("code").annotate(count=Count("pk")).order_by("-count", "code")
    return [(code or "other", count) for code, count in counts[:8]]


def _days(organization: Organization, at: datetime) -> Iterator[tuple[date, int, int]]:
    """(day, stored, refused) for the last days, oldest first."""
    first = (at - timedelta(days=DAYS - 1)).date()
    rows = (
        DeliveryItem.objects.filter(
            delivery__organization=organization, delivery__received_at__date__gte=first
        )
        .annotate(day=TruncDate("delivery__received_at"))
        .values_list("day")
        .annotate(
            stored=Count("pk", filter=Q(outcome=Outcome.STORED)),
            refused=Count("pk", filter=~Q(outcome__in=FINE)),
        )
        .order_by()
    )
    found = {day: (stored, refused) for day, stored, refused in rows}
    for number in range(DAYS):
        day = first + timedelta(days=number)
        yield (day, *found.get(day, (0, 0)))


def counts(actor: Actor) -> dict[str, int]:
    """How many people, departments, machines and agreements stand behind the console's words."""
    if actor.may(Duty.SET_REGION):
        found = Organization.objects.filter(state__in=WAITING)
        return {"waiting": found.exclude(kind=Organization.Kind.OPERATOR).count()}
    own = organization_to_run(actor)
    here = {"organization_id": own.pk}
    held = Membership.objects.filter(**here, ended_at=None, user__is_active=True)
    return {
        "people": held.values("user_id").distinct().count(),
        "departments": Team.objects.filter(**here, ended_at=None).count(),
        "devices": len(own.ae_titles),
        "clients": own_clients(actor).count() if actor.may(Duty.MANAGE_CLIENTS) else 0,
        "agreements": agreements(actor).count() if actor.may(Duty.READ_AGREEMENTS) else 0,
    }


@scope.as_house()  # numbers of all, for who may see none of the rows
def held_bytes(organization: Organization | None = None) -> int:
    """Bytes of images that an organization holds, or all do."""
    rows = Instance.objects.all()
    if organization is not None:
        rows = rows.filter(organization=organization)
    return int(rows.aggregate(sum=Sum("length"))["sum"] or 0)
