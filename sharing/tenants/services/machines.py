"""Bearer tokens of an organization's own machines."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from sharing.audit.rules import SYSTEM, What, Who
from sharing.audit.services import record
from sharing.kernel.errors import BadValue
from sharing.kernel.purposes import Purpose
from sharing.kernel.tokens import fingerprint, new_secret
from sharing.tenants.models import Organization, PartnerToken
from sharing.tenants.rules import SCOPES


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
    """A new bearer token, returned once and kept as its fingerprint.

    Raises BadValue for a scope that is not in `rules.SCOPES`.
    """
    wanted = sorted(set(scopes))
    if not wanted or not set(wanted) <= set(SCOPES):
        raise BadValue("A scope is not one of: " + ", ".join(SCOPES) + ".")
    secret = new_secret()
    token = PartnerToken.objects.create(
        organization=organization,
        name=name,
        secret_hash=fingerprint(secret),
        scopes=wanted,
        purpose=purpose,
        created_at=at,
        expires_at=expires_at,
    )
    what = What(custodian=organization.code, detail={"token": token.public_id, "scopes": wanted})
    record(who=by, action="token.issue", at=at, what=what)
    return secret


@transaction.atomic
def revoke_token(*, token: PartnerToken, by: Who, at: datetime) -> None:
    """End a token at once."""
    PartnerToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at)
    what = What(custodian=token.organization.code, detail={"token": token.public_id})
    record(who=by, action="token.revoke", at=at, what=what)
