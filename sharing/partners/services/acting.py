"""From a token to an Actor: the one way in for machines and for the apps of people."""

from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sharing.kernel.purposes import Purpose
from sharing.kernel.sql import moment, rows
from sharing.kernel.tokens import fingerprint
from sharing.partners.rules import expanded
from sharing.tenants import services as tenants
from sharing.tenants.errors import TokenInvalid
from sharing.tenants.models import User
from sharing.tenants.rules import WORKING, Actor, OrganizationState, Role

_ASKED = """
SELECT t.id, t.user_id, t.purpose, t.assured, t.scope, c.client_id, c.name, t.stamp,
o.id, o.code, o.name, o.mark, o.state
FROM partners_accesstoken t JOIN partners_client c ON c.id = t.application_id
JOIN tenants_organization o ON o.id = c.organization_id
WHERE {} = %s AND t.expires > %s AND c.ended_at IS NULL
"""
_BY_SECRET, _BY_KEY = _ASKED.format("t.token_checksum"), _ASKED.format("t.id")


def actor_for_token(secret: str, *, at: datetime) -> Actor:
    """Whom a bearer token speaks for. Raises TokenInvalid."""
    actor = actor_for_token_or_none(secret, at=at)
    if actor is None:
        raise TokenInvalid()
    return actor


def actor_for_token_or_none(secret: str, *, at: datetime) -> Actor | None:
    """The same; None for a token that is not good."""
    return _asked(_BY_SECRET, fingerprint(secret), at)


def stamp_of(user: User) -> str:
    """Another one once the person has a new password or signed out everywhere."""
    return fingerprint(user.get_session_auth_hash())


def still_acting(actor: Actor, *, at: datetime) -> Actor | None:
    """The actor as they are now, for streams that outlive a role, a token or an account."""
    if actor.token is not None:
        return _asked(_BY_KEY, actor.token, at)
    return tenants.still_acting(actor, at=at)


def _asked(query: str, name: object, at: datetime) -> Actor | None:
    """Asked for by every request of a machine, hundreds each second: one query, no objects."""
    found = rows(query, (name, moment(at)))
    if not found:
        return None
    row = found[0]
    return _machine(row) if row[1] is None else _person(row)


@lru_cache(maxsize=256)
def _machine(row: tuple[Any, ...]) -> Actor:
    """The same value for the same row; nothing is remembered that the row does not say."""
    key, _, purpose, _, scope, client, name, _, pk, code, organization, mark, state = row
    return Actor(
        kind="client",
        id=client,
        name=name,
        organization_id=pk,
        organization_code=code,
        organization_name=organization,
        organization_mark=mark,
        purpose=Purpose(purpose),
        roles=frozenset({Role.CLIENT}),
        active=OrganizationState(state) in WORKING["client"],
        stage=OrganizationState(state),
        scopes=expanded(scope),
        token=key,
        client=client,
    )


def _person(row: tuple[Any, ...]) -> Actor | None:
    """A person as they are now, by the app that they let act; None when they may not act so."""
    key, user_id, purpose, assured, scope, client, name, stamp, pk, *_ = row
    user = User.objects.filter(pk=user_id).first()
    if user is None or stamp != stamp_of(user):
        return None
    actor = tenants.acting_again(user, organization_id=pk, purpose=purpose, assured=bool(assured))
    if actor is None:
        return None
    return replace(actor, scopes=expanded(scope), token=key, client=client, app=name)
