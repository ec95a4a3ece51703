"""An administrator creates clients, rotates what they prove themselves with, and ends them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Q, QuerySet

from sharing.audit.rules import What, Who
from sharing.audit.services import record
from sharing.kernel import outgoing
from sharing.kernel.errors import AddressRefused
from sharing.kernel.purposes import Purpose
from sharing.kernel.tokens import fingerprint, new_secret
from sharing.partners.errors import ClientInvalid, ClientNotFound
from sharing.partners.models import AccessToken, Client, ClientSecret, Grant, RefreshToken
from sharing.partners.rules import OFFICE_SCOPES, is_known
from sharing.tenants.models import Organization
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import require

from .keys import check_keys

ROTATED_OVER = timedelta(hours=24)
"""How long the secret before a rotation still works."""
MOST_REDIRECTS = 10


@dataclass(frozen=True)
class Wish:
    """A client as it is asked for."""

    name: str
    scopes: tuple[str, ...]
    app: bool = False
    public: bool = False
    """An app that can keep no secret: one on a phone, or in a browser."""
    redirects: tuple[str, ...] = ()
    purpose: Purpose = Purpose.TREATMENT
    jwks: Any = None
    jwks_url: str = ""

    @property
    def has_keys(self) -> bool:
        """Whether it proves itself by a signature, and needs no secret."""
        return self.jwks is not None or bool(self.jwks_url)


@dataclass(frozen=True)
class Made:
    """A client, and its secret, which is shown this once."""

    client: Client
    secret: str = field(repr=False, default="")


@transaction.atomic
def create_client(*, wish: Wish, by: Actor, at: datetime) -> Made:
    """A client of the actor's organization. Raises NotAllowed or ClientInvalid."""
    require(by, Duty.MANAGE_CLIENTS)
    _check(wish)
    if not wish.app:
        check_office(by.organization_id, wish.scopes)
    kind = Client.GRANT_AUTHORIZATION_CODE if wish.app else Client.GRANT_CLIENT_CREDENTIALS
    public = Client.CLIENT_PUBLIC if wish.app and wish.public else Client.CLIENT_CONFIDENTIAL
    client = Client.objects.create(
        organization_id=by.organization_id,
        name=wish.name.strip(),
        authorization_grant_type=kind,
        client_type=public,
        redirect_uris=" ".join(wish.redirects),
        scopes=sorted(set(wish.scopes)),
        purpose="" if wish.app else wish.purpose,
        jwks=None if wish.jwks is None else check_keys(wish.jwks),
        jwks_url=wish.jwks_url,
        made_by=by.name,
    )
    _tell(client, "client.create", by, at, scopes=client.scopes, app=client.is_app)
    needs = public == Client.CLIENT_CONFIDENTIAL and not wish.has_keys
    return Made(client, _new_secret(client, at) if needs else "")


@transaction.atomic
def rotate_secret(*, client_id: str, at_once: bool, by: Actor, at: datetime) -> Made:
    """A new secret; the one before works for a day more, or ends at once. Raises ClientNotFound."""
    client = own_client(by, client_id)
    if client.client_type == Client.CLIENT_PUBLIC or client.jwks or client.jwks_url:
        raise ClientInvalid("This client has no secret.")
    ends = at if at_once else at + ROTATED_OVER
    client.secrets.filter(Q(ends_at=None) | Q(ends_at__gt=ends)).update(ends_at=ends)
    _tell(client, "client.rotate", by, at, at_once=at_once)
    return Made(client, _new_secret(client, at))


@transaction.atomic
def change_keys(*, client_id: str, jwks: Any, jwks_url: str, by: Actor, at: datetime) -> Client:
    """Other public keys for a client that signs; those before end. Raises ClientInvalid."""
    client = own_client(by, client_id)
    if not (client.jwks or client.jwks_url):
        raise ClientInvalid("This client signs nothing.")
    _check_one_source(jwks, jwks_url)
    client.jwks = None if jwks is None else check_keys(jwks)
    client.jwks_url = jwks_url
    client.save(update_fields=["jwks", "jwks_url"])
    _tell(client, "client.rotate", by, at)
    return client


@transaction.atomic
def end_client(*, client_id: str, by: Actor, at: datetime) -> None:
    """Over at once, with all its tokens. Raises ClientNotFound."""
    client = own_client(by, client_id)
    over(client, by=by.who, at=at)


def check_office(organization_id: int, scopes: Iterable[str]) -> None:
    """The operator's own machines get no scope that leads to patients. Raises ClientInvalid."""
    office = Organization.objects.filter(pk=organization_id, kind=Organization.Kind.OPERATOR)
    if not set(scopes) <= OFFICE_SCOPES and office.exists():
        raise ClientInvalid("A machine of the operator gets no scope that leads to patients.")


def over(client: Client, *, by: Who, at: datetime) -> None:
    """End a client in the caller's transaction."""
    Client.objects.filter(pk=client.pk).update(ended_at=at)
    for kind in (Grant, RefreshToken, AccessToken):
        kind.objects.filter(application=client).delete()
    detail = {"client": client.client_id}
    what = What(custodian=client.organization.code, detail=detail)
    record(who=by, action="client.end", at=at, what=what)


def end_all_clients(*, organization_id: int, by: Who, at: datetime) -> None:
    """An organization leaves: all its clients with it, in the caller's transaction."""
    rows = Client.objects.filter(organization_id=organization_id, ended_at=None)
    for client in rows.select_related("organization"):
        over(client, by=by, at=at)


def own_clients(by: Actor) -> QuerySet[Client]:
    """The clients of the actor's organization that have not ended, by name. Raises NotAllowed."""
    require(by, Duty.MANAGE_CLIENTS)
    return Client.objects.filter(organization_id=by.organization_id, ended_at=None).order_by(
        "name", "pk"
    )


def own_client(by: Actor, client_id: str) -> Client:
    """One of them. Raises NotAllowed or ClientNotFound."""
    found = own_clients(by).select_related("organization").filter(client_id=client_id).first()
    if found is None:
        raise ClientNotFound()
    return found


def live_tokens(client: Client, *, at: datetime) -> int:
    """How many of its tokens are good now."""
    return AccessToken.objects.filter(application=client, expires__gt=at).count()


def _check(wish: Wish) -> None:
    if not wish.name.strip():
        raise ClientInvalid("Give the client a name.")
    _check_scopes(wish.scopes, app=wish.app)
    if wish.has_keys:
        _check_one_source(wish.jwks, wish.jwks_url)
    if wish.app:
        _check_redirects(wish.redirects)
    elif wish.redirects:
        raise ClientInvalid("Only an app leads people back to an address.")


def _check_scopes(scopes: Iterable[str], *, app: bool) -> None:
    asked = set(scopes)
    if not asked or not all(is_known(scope, person=app) for scope in asked):
        raise ClientInvalid("Choose at least one scope, and only scopes that there are.")


def _check_one_source(jwks: Any, jwks_url: str) -> None:
    if (jwks is None) == (not jwks_url):
        raise ClientInvalid("Give the keys or their address, one of both.")
    if jwks_url:
        try:
            outgoing.check_address(jwks_url)
        except AddressRefused as error:
            raise ClientInvalid(str(error)) from error


def _check_redirects(redirects: tuple[str, ...]) -> None:
    if not 1 <= len(redirects) <= MOST_REDIRECTS or not all(map(_is_redirect, redirects)):
        raise ClientInvalid(
            "Give the addresses that the app is led back to: https, or http on 127.0.0.1."
        )


def _is_redirect(address: str) -> bool:
    """An https address without a fragment or a name in it; plain http on the own machine only."""
    if not address.isascii() or any(sign in address for sign in " #*\\@") or len(address) > 500:
        return False
    parts = urlsplit(address)
    loopback = parts.hostname in ("127.0.0.1", "::1")
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and loopback)
    )


def _new_secret(client: Client, at: datetime) -> str:
    secret = new_secret()
    ClientSecret.objects.create(client=client, fingerprint=fingerprint(secret), made_at=at)
    return secret


def _tell(client: Client, action: str, by: Actor, at: datetime, **more: Any) -> None:
    what = What(custodian=by.organization_code, detail={"client": client.client_id} | more)
    record(who=by.who, action=action, at=at, what=what)
