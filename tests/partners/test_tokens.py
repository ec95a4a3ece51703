"""A machine's token: what it may be, and when it is over."""

from datetime import timedelta

import pytest

from sharing.kernel.errors import BadValue
from sharing.partners.models import AccessToken, Client
from sharing.partners.services import actor_for_token, issue_token, revoke_token, still_acting
from sharing.tenants.errors import TokenInvalid
from sharing.tenants.rules import OrganizationState, Role
from tests.cast import NOW, Region

DAY = timedelta(days=1)


def token(region: Region, **said: object) -> str:
    """Riverside's PACS, for a week."""
    values: dict[str, object] = {"scopes": ["dicomweb.read"], "expires_at": NOW + 7 * DAY}
    return issue_token(organization=region.riverside, name="PACS", at=NOW, **(values | said))


def test_a_token_ends_when_it_is_revoked_or_runs_out(region: Region) -> None:
    secret = token(region)
    assert actor_for_token(secret, at=NOW + 7 * DAY - timedelta(seconds=1)).name == "PACS"
    with pytest.raises(TokenInvalid):
        actor_for_token(secret, at=NOW + 7 * DAY)
    actor = actor_for_token(secret, at=NOW)
    revoke_token(secret=secret, by=region.admin.actor.who, at=NOW + DAY)
    with pytest.raises(TokenInvalid):
        actor_for_token(secret, at=NOW + DAY)
    assert still_acting(actor, at=NOW + DAY) is None


def test_a_token_that_was_made_while_its_client_ended_opens_nothing(region: Region) -> None:
    secret = token(region)
    Client.objects.update(ended_at=NOW)  # by somebody who did not see that token
    with pytest.raises(TokenInvalid):
        actor_for_token(secret, at=NOW)


def test_a_token_says_what_it_is_for_and_opens_that_alone(region: Region) -> None:
    actor = actor_for_token(token(region), at=NOW)
    assert (actor.kind, actor.scopes, actor.roles) == ("client", {"dicomweb.read"}, {Role.CLIENT})
    assert actor.user_id is None
    for scopes in ([], ["everything"], ["dicomweb.read", "*"]):
        with pytest.raises(BadValue):
            token(region, scopes=scopes)
    with pytest.raises(TokenInvalid):
        actor_for_token("made up", at=NOW)


def test_a_suspended_organization_s_machines_act_for_nobody(region: Region) -> None:
    secret = token(region)
    region.riverside.state = OrganizationState.SUSPENDED
    region.riverside.save()
    assert not actor_for_token(secret, at=NOW).active


def test_the_secret_is_not_in_the_database(region: Region) -> None:
    secret = token(region)
    for row in (AccessToken.objects.get(), Client.objects.get()):
        assert all(secret not in str(value) for value in vars(row).values())
