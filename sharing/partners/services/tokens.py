"""Tokens: given by hand, told about to whom they concern, taken back, cleared away."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from oauth2_provider.models import clear_expired

from sharing.audit.rules import SYSTEM, What, Who
from sharing.audit.services import record
from sharing.kernel.errors import BadValue
from sharing.kernel.purposes import Purpose
from sharing.kernel.tokens import fingerprint, new_secret
from sharing.partners.models import AccessToken, Client, RefreshToken, UsedAssertion
from sharing.partners.rules import SCOPES, is_known
from sharing.tenants.models import Organization

from .clients import check_office, over

NEVER = datetime(9999, 12, 31, tzinfo=UTC)


@transaction.atomic
def issue_token(
    *,
    organization: Organization,
    name: str,
    scopes: Iterable[str],
    at: datetime,
    purpose: Purpose = Purpose.TREATMENT,
    expires_at: datetime | None = None,
    by: Who = SYSTEM,
) -> str:
    """A machine of its own with one token, returned once and kept as its fingerprint.

    Raises BadValue for a scope that there is not, ClientInvalid for one that the operator's own
    machines do not get.
    """
    wanted = sorted(set(scopes))
    if not wanted or not all(is_known(scope, person=False) for scope in wanted):
        raise BadValue("A scope is not one of: " + ", ".join(SCOPES) + ".")
    check_office(organization.pk, wanted)
    client = Client.objects.create(
        organization=organization,
        name=name,
        authorization_grant_type=Client.GRANT_CLIENT_CREDENTIALS,
        client_type=Client.CLIENT_CONFIDENTIAL,
        scopes=wanted,
        purpose=purpose,
        made_by=by.name,
    )
    secret = new_secret()
    AccessToken.objects.bulk_create(  # the field would take the checksum of what is not kept
        [
            AccessToken(
                application=client,
                token_checksum=fingerprint(secret),
                scope=" ".join(wanted),
                expires=expires_at or NEVER,
                purpose=purpose,
                assured=True,
            )
        ]
    )
    told(client, "token.issue", by=by, at=at, scopes=wanted)
    return secret


@transaction.atomic
def revoke_token(*, secret: str, by: Who, at: datetime) -> None:
    """End what `issue_token` made, at once."""
    token = AccessToken.objects.filter(token_checksum=fingerprint(secret)).first()
    if token is not None and token.application is not None:
        over(token.application, by=by, at=at)


@transaction.atomic
def end_family(*, origin: str, client: Client, by: Who, at: datetime) -> None:
    """A code came a second time, so somebody else had it: what it gave is over (RFC 6749 4.1.2)."""
    given = RefreshToken.objects.filter(origin=origin, application=client, revoked=None)
    families = set(given.values_list("token_family", flat=True))
    for family in families:
        RefreshToken.revoke_family(family)
    if families:
        told(client, "code.reuse", by=by, at=at)


def told(client: Client, action: str, *, by: Who, at: datetime, **more: Any) -> None:
    """What happened with a client's tokens, in the log of its organization."""
    detail = {"client": client.client_id} | more
    what = What(custodian=client.organization.code, detail=detail)
    record(who=by, action=action, at=at, what=what)


def introspected(secret: str, *, by: Client, at: datetime) -> dict[str, Any]:
    """RFC 7662: what a token says, to a client of the organization that it is for; else nothing.

    The actor decides, so a person who left or a client that ended is not active either.
    """
    from .acting import actor_for_token_or_none

    actor = actor_for_token_or_none(secret, at=at)
    if actor is None or actor.organization_id != by.organization_id or not actor.active:
        return {"active": False}
    token = AccessToken.objects.select_related("application").get(
        token_checksum=fingerprint(secret)
    )
    return {
        "active": True,
        "scope": token.scope,
        "client_id": actor.client,
        "token_type": "Bearer",
        "exp": int(token.expires.timestamp()),
        "iat": int(token.created.timestamp()),
        "sub": actor.id,
        "organization": actor.organization_code,
        "purpose": actor.purpose,
    }


def clear(*, at: datetime) -> None:
    """Forget what is over: tokens, codes, and assertions that can't be used again anyway."""
    clear_expired()
    UsedAssertion.objects.filter(expires_at__lt=at).delete()
