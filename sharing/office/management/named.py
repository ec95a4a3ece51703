"""Whom a command names: the organization that it is about, and who decides."""

from django.core.management import CommandError

from sharing.tenants import services
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Actor


def organization_of(code: str) -> Organization:
    """Raises CommandError for a code that nobody has."""
    own = Organization.objects.filter(code=code).first()
    if own is None:
        raise CommandError("No organization has this code.")
    return own


def actor_named(email: str, own: Organization) -> Actor:
    """Who decides: for that organization where they may, else for the one that they act for."""
    user = User.objects.filter(email=email.lower(), is_active=True).first()
    choices = services.acting_choices(user) if user else []
    if user is None or not choices:
        raise CommandError("Nobody with this address may act (--as).")
    chosen = next((c for c in choices if c.organization.pk == own.pk), choices[0])
    actor = services.actor_for_session(user, {"acting": chosen.key}, assured=True)
    if actor is None:
        raise CommandError("Nobody with this address may act (--as).")
    return actor


def operator_named(email: str) -> Actor:
    """Who decides for the region: at the operator's organization where they have a role there."""
    office = Organization.objects.filter(kind=Organization.Kind.OPERATOR).order_by("pk").first()
    if office is None:
        raise CommandError("The region has no operator.")
    return actor_named(email, office)
