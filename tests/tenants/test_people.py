"""Inviting people, beginning, and ending roles."""

from datetime import timedelta

import pytest

from sharing.audit.models import Event
from sharing.kernel.errors import BadValue
from sharing.kernel.purposes import Purpose
from sharing.tenants import services
from sharing.tenants.errors import LastAdministrator, LinkInvalid, NotAllowed
from sharing.tenants.models import Membership, Organization, User
from sharing.tenants.rules import Role
from tests.cast import NOW, PASSWORD, Region, make_person

OWN = "seven grey herons"


def invite(region: Region, email: str = "new@riverside.example", *roles: Role) -> str:
    """Ines invites somebody to Riverside."""
    wanted = roles or (Role.RADIOLOGIST,)
    return services.invite(
        email=email, name="New Person", roles=wanted, by=region.admin.actor, at=NOW
    )


def test_an_invited_person_begins_with_a_name_a_password_and_the_roles(region: Region) -> None:
    """All from the letter, none from what the person says."""
    secret = invite(region, "New@riverside.example", Role.CLERK, Role.RADIOLOGIST)
    user = services.accept_invitation(secret=secret, name="Nora Ek", password=OWN, at=NOW)
    assert (user.email, user.name) == ("new@riverside.example", "Nora Ek")
    assert user.check_password(OWN)
    roles = Membership.objects.filter(user=user).values_list("role", flat=True)
    assert set(roles) == {Role.CLERK, Role.RADIOLOGIST}


def test_an_invitation_works_once(region: Region) -> None:
    """A forwarded letter is worth nothing after."""
    secret = invite(region)
    services.accept_invitation(secret=secret, name="Nora", password=OWN, at=NOW)
    with pytest.raises(LinkInvalid):
        services.accept_invitation(secret=secret, name="Eve", password="other words", at=NOW)


def test_an_invitation_ends_after_fourteen_days(region: Region) -> None:
    """And is not listed as open any more."""
    secret = invite(region)
    late = NOW + timedelta(days=14)
    with pytest.raises(LinkInvalid):
        services.invitation(secret=secret, at=late)
    assert services.open_invitations(region.riverside.pk, at=NOW).count() == 1
    assert services.open_invitations(region.riverside.pk, at=late).count() == 0


def test_a_known_person_gains_the_role_and_keeps_name_and_password(region: Region) -> None:
    """The holder of a letter can't take an account over."""
    secret = invite(region, region.ben.user.email)
    user = services.accept_invitation(secret=secret, name="Eve", password="taken over", at=NOW)
    assert user.pk == region.ben.user.pk
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert user.name == "Ben Hartley"
    houses = {choice.organization.code for choice in services.acting_choices(user)}
    assert houses == {"hilltop", "riverside"}


@pytest.mark.parametrize(
    "roles", [(), (Role.OPERATOR,), (Role.CLIENT,), (Role.CLERK, Role.OPERATOR)]
)
def test_no_role_and_the_regions_roles_are_not_given_by_invitation(
    region: Region, roles: tuple[Role, ...]
) -> None:
    """An administrator of a hospital makes no operator."""
    with pytest.raises(BadValue):
        services.invite(email="e@x.example", name="E", roles=roles, by=region.admin.actor, at=NOW)


@pytest.mark.parametrize("who", ["ada", "mei", "olga", "ben"])
def test_only_an_administrator_invites_and_ends(region: Region, who: str) -> None:
    """Whatever else the role may do."""
    by = getattr(region, who).actor
    member = Membership.objects.get(user=region.mei.user)
    with pytest.raises(NotAllowed):
        services.invite(email="e@x.example", name="E", roles=[Role.CLERK], by=by, at=NOW)
    with pytest.raises(NotAllowed):
        services.end_membership(membership=member, by=by, at=NOW)
    member.refresh_from_db()
    assert member.ended_at is None


def test_a_role_that_ended_is_gone_with_the_next_request(region: Region) -> None:
    """The actor is read freshly each time."""
    member = Membership.objects.get(user=region.ada.user)
    services.end_membership(membership=member, by=region.admin.actor, at=NOW)
    assert services.actor_for_session(region.ada.user, {}, assured=True) is None
    assert Event.objects.filter(action="member.end").count() == 1


def test_an_administrator_ends_no_role_of_another_house(region: Region) -> None:
    """Even when handed its row."""
    member = Membership.objects.get(user=region.ben.user)
    with pytest.raises(NotAllowed):
        services.end_membership(membership=member, by=region.admin.actor, at=NOW)
    member.refresh_from_db()
    assert member.ended_at is None


def test_the_last_administrator_stays(region: Region) -> None:
    """Until there is another one."""
    member = Membership.objects.get(user=region.admin.user)
    with pytest.raises(LastAdministrator):
        services.end_membership(membership=member, by=region.admin.actor, at=NOW)
    make_person("Tom Ash", region.riverside, Role.ADMINISTRATOR)
    services.end_membership(membership=member, by=region.admin.actor, at=NOW)
    member.refresh_from_db()
    assert member.ended_at == NOW


def test_a_first_password_is_for_one_who_never_signed_in(region: Region) -> None:
    """A second letter replaces it; after the first sign-in there is none."""
    user = region.admin.user
    assert services.first_password(user=user) is None
    user.must_change_password = True
    first, second = services.first_password(user=user), services.first_password(user=user)
    assert first != second
    assert User.objects.get(pk=user.pk).check_password(second or "")
    user.last_login = NOW
    assert services.first_password(user=user) is None


def test_an_actor_is_assured_by_the_second_factor_where_the_house_asks(region: Region) -> None:
    """The session says whether one was used; the house, whether one is needed."""
    ada = region.ada.user
    Organization.objects.filter(pk=region.riverside.pk).update(requires_second_factor=True)
    without = services.actor_for_session(ada, {}, assured=False)
    assert without is not None
    assert not without.assured
    assert not without.may(services.Duty.SHARE)
    assert services.user_needs(ada, has_second_factor=False) == "second_factor"
    assert services.user_needs(ada, has_second_factor=True) is None


def test_a_suspended_house_has_no_actors(region: Region) -> None:
    """Nor is it among those that its people may act for."""
    Organization.objects.filter(pk=region.hilltop.pk).update(state="suspended")
    assert services.acting_choices(region.ben.user) == []


def test_an_unknown_choice_falls_back_to_one_that_the_person_has(region: Region) -> None:
    """A session can't name a purpose or house that was taken away."""
    actor = services.actor_for_session(
        region.ben.user, {"acting": "riverside:HRESCH"}, assured=True
    )
    assert actor is not None
    assert (actor.organization_code, actor.purpose) == ("hilltop", Purpose.TREATMENT)
