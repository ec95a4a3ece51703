"""The cast that tests begin with is what the portal's own services would have made."""

from django.db.models import Model

from sharing.audit.models import Event
from sharing.tenants.models import Membership, Post, User
from sharing.tenants.rules import Role
from tests.cast import Person, Region, make_person

OWN = {"id", "public_id", "user_id", "name", "email", "password", "joined_at", "sessions_from",
       "actor_id", "detail", "request_id"}  # fmt: skip
"""What differs between any two people."""


def said(row: Model) -> dict[str, object]:
    """What stands in a row besides."""
    names = (field.attname for field in row._meta.concrete_fields)
    return {name: getattr(row, name) for name in names if name not in OWN}


def rows_of(person: Person) -> list[dict[str, object]]:
    """All that is on file about somebody."""
    user = User.objects.get(pk=person.user.pk)
    event = Event.objects.get(action="member.add", detail__user=user.public_id)
    post, member = Post.objects.get(user=user), Membership.objects.get(user=user)
    assert (post.email, post.name) == (user.email, user.name)
    assert event.detail == {"user": user.public_id, "role": member.role}
    return [said(row) for row in (user, post, member, event)]


def test_the_cast_stands_as_services_make_people(region: Region) -> None:
    ruth = make_person("Ruth Amsel", region.riverside, Role.RADIOLOGIST)
    assert rows_of(region.ada) == rows_of(ruth)
    assert ruth.user.check_password("correct-horse-battery")
    assert region.ada.user.check_password("correct-horse-battery")
