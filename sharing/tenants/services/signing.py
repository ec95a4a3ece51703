"""The organization signs the region's terms: who, in which function, and what was read."""

from datetime import datetime

from django.db import transaction

from sharing.tenants import terms
from sharing.tenants.errors import SignatureMissing
from sharing.tenants.models import Organization
from sharing.tenants.rules import Actor, OrganizationEvent

from .moving import move, organization_to_run


@transaction.atomic
def sign_terms(
    *, signed_by: str, function: str, sha256: str, by: Actor, at: datetime
) -> Organization:
    """Sign for the own organization what was shown, by its hash.

    Raises NotAllowed, NotNow, and SignatureMissing, also where another wording was read.
    """
    own = organization_to_run(by)
    name, office = " ".join(signed_by.split()), " ".join(function.split())
    if not name or not office or sha256 != terms.SHA256:
        raise SignatureMissing()
    detail = {"terms": terms.VERSION, "sha256": sha256, "signed_by": name, "function": office}
    why = f"{name}, {office}, signed the terms {terms.VERSION}."
    return move(own.pk, OrganizationEvent.SIGN, by=by.who, why=why, at=at, detail=detail)
