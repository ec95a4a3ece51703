"""Who runs an organization is told: somebody asks for a support session, roles wait for a word."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.db.models import Count
from django.urls import reverse

from sharing.tenants.models import Membership, Organization, Post, SupportSession, User
from sharing.tenants.posts import CONFIRMED_EVERY, PostState
from sharing.tenants.rules import DUTIES, Duty, Role
from sharing.tenants.support import SupportState

from .posting import absolute, notify, post_to_all
from .rules import due_text, support_text


def tell_support(*, session_id: int, at: datetime) -> None:
    """Those who may let somebody of the operator in are told that it waits for them."""
    asked = SupportSession.objects.select_related("organization", "asked_by").get(pk=session_id)
    if asked.state != SupportState.ASKED:
        return
    text = support_text(asked.asked_by.name, asked.hours)
    link, key = reverse("web:support"), f"support:{asked.pk}"
    people = list(_who(asked.organization, {Duty.GUARD, Duty.MANAGE_MEMBERS}))
    for user in people:
        notify(user, asked.organization, "support", text, link, key, at=at)
    context = {"text": text, "link": absolute(link)}
    post_to_all(people, key, "support", asked.organization, partial(dict, context), at=at)


def tell_due(*, at: datetime) -> None:
    """Each organization's administrators, once a month, while roles wait for their word."""
    late = Post.objects.filter(
        state__in=(PostState.ACTIVE, PostState.LAPSED), confirmed_at__lte=at - CONFIRMED_EVERY
    )
    counted = late.values("organization").annotate(count=Count("pk")).order_by("organization")
    for row in counted:
        organization = Organization.objects.get(pk=row["organization"])
        key = f"confirm:{organization.pk}:{at:%Y-%m}"
        for user in _who(organization, {Duty.MANAGE_MEMBERS}):
            text, link = due_text(row["count"]), reverse("web:people")
            notify(user, organization, "confirm", text, link, key, at=at)


def _who(organization: Organization, duties: set[Duty]) -> Iterable[User]:
    roles = [role.value for role in Role if DUTIES[role] & duties]
    held = Membership.objects.filter(
        organization=organization, role__in=roles, ended_at=None, user__is_active=True
    )
    return User.objects.filter(pk__in=held.values("user_id")).order_by("pk")
