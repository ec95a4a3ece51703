"""An organization's own sign-in: set up, whose domain it is, and who comes in by it."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from sharing.audit.rules import What, Who
from sharing.audit.services import record
from sharing.kernel import extras, outgoing
from sharing.kernel.errors import Absent, BadValue
from sharing.tenants.errors import SignInRefused, Taken
from sharing.tenants.models import Membership, Organization, Post, Realm, RealmDomain, User
from sharing.tenants.posts import PostState
from sharing.tenants.realms import Arrival, Protocol, domain_of, parse_domain, roles_for
from sharing.tenants.rules import Actor, Duty, OrganizationState, Role

from .acting import require
from .people import add_member
from .posts import roles_ended
from .saml import described

COMES_IN = (PostState.INVITED, PostState.ACTIVE)
"""Who was sent away here, or is on leave, is not let in by somebody's directory."""


@dataclass(frozen=True)
class SignIn:
    """What an administrator says of the sign-in; a blank secret keeps the old one."""

    issuer: str
    client_id: str
    secret: str
    groups_in: str
    mapping: Mapping[str, str]
    domains: Iterable[str]
    trusts_factor: bool = False
    active: bool = True


@dataclass(frozen=True)
class SamlSignIn:
    """The same of a SAML identity provider; blank metadata keeps what is known of it."""

    metadata: str
    email_in: str
    name_in: str
    groups_in: str
    mapping: Mapping[str, str]
    domains: Iterable[str]
    trusts_factor: bool = False
    active: bool = True


def realm_of(actor: Actor) -> Realm | None:
    """The sign-in of the actor's organization. Raises NotAllowed."""
    require(actor, Duty.MANAGE_MEMBERS)
    return Realm.objects.filter(organization_id=actor.organization_id).first()


@transaction.atomic
def set_realm(*, said: SignIn, by: Actor, at: datetime) -> Realm:
    """Decide where the organization's people sign in. New domains wait for the operator.

    Raises NotAllowed, BadValue for what is no domain, AddressRefused for an issuer that the
    portal never asks.
    """
    require(by, Duty.MANAGE_MEMBERS)
    outgoing.check_address(said.issuer)
    before = Realm.objects.filter(organization_id=by.organization_id).first()
    sealed = _seal(said.secret) if said.secret else (before.sealed_secret if before else "")
    values = {
        "protocol": Protocol.OIDC.value,
        "issuer": said.issuer.rstrip("/"),
        "client_id": said.client_id,
        "sealed_secret": sealed,
        "sso_url": "",
        "certificates": [],
    }
    return _keep(said, values, by, at)


@transaction.atomic
def set_saml(*, said: SamlSignIn, by: Actor, at: datetime) -> Realm:
    """The same by SAML 2.0, where the portal is installed with it; what was OpenID Connect ends.

    Raises NotAllowed, Absent, BadValue, AddressRefused.
    """
    require(by, Duty.MANAGE_MEMBERS)
    if not extras.has_saml():
        raise Absent()
    before = Realm.objects.filter(organization_id=by.organization_id).first()
    values: dict[str, Any] = {"protocol": Protocol.SAML.value}
    values |= {"email_in": said.email_in, "name_in": said.name_in}
    if said.metadata.strip():
        found = described(said.metadata)
        outgoing.check_address(found.sso_url)
        values |= {"issuer": found.entity_id, "sso_url": found.sso_url}
        values |= {"certificates": list(found.certificates), "client_id": "", "sealed_secret": ""}
    elif before is None or before.protocol != Protocol.SAML:
        raise BadValue("Give the metadata of your identity provider.")
    return _keep(said, values, by, at)


def _keep(said: SignIn | SamlSignIn, values: dict[str, Any], by: Actor, at: datetime) -> Realm:
    """What both protocols have in common."""
    wanted = {parse_domain(each) for each in said.domains}
    values |= {
        "groups_in": said.groups_in,
        "mapping": dict(said.mapping),
        "trusts_factor": said.trusts_factor,
        "active": said.active,
        "changed_at": at,
    }
    realm, _ = Realm.objects.update_or_create(organization_id=by.organization_id, defaults=values)
    realm.domains.exclude(domain__in=wanted).delete()
    for domain in sorted(wanted):
        RealmDomain.objects.get_or_create(realm=realm, domain=domain, defaults={"asked_at": at})
    detail = {"roles": sorted(set(said.mapping.values())), "active": said.active}
    detail |= {"by": realm.protocol}
    what = What(custodian=by.organization_code, detail=detail)
    record(who=by.who, action="organization.sign_in", at=at, what=what)
    return realm


def domains_waiting(actor: Actor) -> QuerySet[RealmDomain]:
    """What organizations say is theirs, the oldest first. Raises NotAllowed."""
    require(actor, Duty.APPROVE_ORGANIZATIONS)
    found = RealmDomain.objects.filter(confirmed_at=None).select_related("realm__organization")
    return found.order_by("asked_at", "pk")


@transaction.atomic
def confirm_domain(*, domain_id: int, by: Actor, at: datetime) -> RealmDomain:
    """The operator looked it up: the domain is that organization's.

    Raises NotAllowed, Absent, Taken.
    """
    found = domains_waiting(by).filter(pk=domain_id).first()
    if found is None:
        raise Absent()
    found.confirmed_at, found.confirmed_by = at, by.name
    try:
        with transaction.atomic():
            found.save(update_fields=["confirmed_at", "confirmed_by"])
    except IntegrityError:
        raise Taken() from None
    what = What(custodian=found.realm.organization.code, detail={"domain": found.domain})
    record(who=by.who, action="organization.domain", at=at, what=what)
    return found


def realm_for(email: str) -> Realm | None:
    """Where the holder of that address signs in; None: here, with a password or a passkey."""
    return (
        _open()
        .filter(domains__domain=domain_of(email), domains__confirmed_at__isnull=False)
        .first()
    )


def realm_at(code: str) -> Realm | None:
    """The open sign-in of that organization."""
    return _open().filter(organization__code=code).first()


def _open() -> QuerySet[Realm]:
    found = Realm.objects.filter(active=True, organization__state=OrganizationState.ACTIVE)
    if not extras.has_saml():
        found = found.exclude(protocol=Protocol.SAML.value)
    return found.select_related("organization")


@transaction.atomic
def arrive(*, realm: Realm, arrival: Arrival, known: User | None, at: datetime) -> User:
    """Let in who the organization's sign-in vouches for, with the roles of the mapping and no more.

    `known` is who came by the same subject before. Roles that the mapping does not give end here;
    nothing changes at any other organization. Raises SignInRefused.
    """
    roles = roles_for(arrival, realm.mapping)
    if not (arrival.subject and arrival.verified and roles and _is_ours(realm, arrival)):
        raise SignInRefused()
    user = known or User.objects.select_for_update().filter(email=arrival.email).first()
    if user is not None and not _may_come(user, realm):
        raise SignInRefused()
    if user is None:
        user = User.objects.create_user(arrival.email, arrival.name or arrival.email)
    who = Who(kind="user", id=user.public_id, name=user.name)
    ended = _end_others(user, realm.organization, roles, who, at)
    for role in sorted(roles):
        add_member(organization=realm.organization, user=user, role=role, by=who, at=at)
    roles_ended(ended, user_id=user.pk, organization_id=realm.organization_id, at=at)
    return user


def _is_ours(realm: Realm, arrival: Arrival) -> bool:
    ours = realm.domains.filter(domain=arrival.domain, confirmed_at__isnull=False)
    return bool(arrival.domain) and ours.exists()


def _may_come(user: User, realm: Realm) -> bool:
    """One with a post here that is open, or with none anywhere: no house takes another's people."""
    if not user.is_active:
        return False
    posts = Post.objects.filter(user=user)
    here = posts.filter(organization=realm.organization).first()
    invited = Post.objects.filter(organization=realm.organization, email=user.email).first()
    found = here or invited
    return found.state in COMES_IN if found else not posts.exists()


def _end_others(
    user: User, organization: Organization, roles: Iterable[Role], who: Who, at: datetime
) -> list[str]:
    """End what the mapping does not give, and which; the last administrator stays one."""
    ended = []
    held = Membership.objects.filter(user=user, organization=organization, ended_at=None)
    for row in held.exclude(role__in=[role.value for role in roles]):
        others = Membership.objects.filter(
            organization=organization, role=Role.ADMINISTRATOR, ended_at=None
        ).exclude(user=user)
        if row.role == Role.ADMINISTRATOR and not others.exists():
            continue
        Membership.objects.filter(pk=row.pk).update(ended_at=at)
        detail = {"user": user.public_id, "role": row.role}
        what = What(custodian=organization.code, detail=detail)
        record(who=who, action="member.end", at=at, what=what)
        ended.append(row.role)
    return ended


def secret_of(realm: Realm) -> str:
    """What the portal proves itself with at the organization's sign-in."""
    if not realm.sealed_secret:
        return ""
    return _box().decrypt(realm.sealed_secret.encode()).decode()


def _seal(secret: str) -> str:
    return _box().encrypt(secret.encode()).decode()


def _box() -> Fernet:
    key = hashlib.sha256(b"sharing.tenants.realm" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
