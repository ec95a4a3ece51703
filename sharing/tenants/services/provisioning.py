"""What an organization's directory says of its people, by a machine with the scope for it.

It makes, names and ends posts at its own organization, of people whose addresses are of a domain
that the operator confirmed; and it gives the roles that the organization's mapping gives to its
groups. Nothing else: no other organization, no password, no role of the region.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from sharing.audit.rules import What
from sharing.audit.services import record
from sharing.kernel.errors import Absent, BadValue
from sharing.tenants.errors import NotAllowed, Taken
from sharing.tenants.models import Membership, Organization, Post, Realm, RealmDomain, User
from sharing.tenants.posts import PostState
from sharing.tenants.realms import NEVER_MAPPED, domain_of
from sharing.tenants.rules import Actor, Role

from .people import add_member
from .posts import deactivate_by_directory, enrolled, roles_ended

SCOPE = "people.write"
LIVING = (PostState.ACTIVE, PostState.ON_LEAVE, PostState.LAPSED)
FORGOTTEN = "~"
"""Stands for the directory's own id of somebody whom it deleted: no such person, for it."""


def people(by: Actor) -> QuerySet[Post]:
    """Those with an account whom the directory may name: of the organization's own domains. Whom
    it invited from elsewhere no directory knows, and none gives them roles or ends them.

    Raises NotAllowed.
    """
    _machine(by)
    domains = RealmDomain.objects.filter(
        realm__organization_id=by.organization_id, confirmed_at__isnull=False
    )
    ours = Q(pk__in=[])
    for domain in domains.values_list("domain", flat=True):
        ours |= Q(user__email__iendswith=f"@{domain}")
    found = Post.objects.filter(ours, organization_id=by.organization_id)
    return found.exclude(external_id=FORGOTTEN).select_related("user").order_by("pk")


def one_person(by: Actor, *, public_id: str) -> Post:
    """One of them. Raises NotAllowed, Absent."""
    found = people(by).filter(public_id=public_id).first()
    if found is None:
        raise Absent()
    return found


@transaction.atomic
def provision(
    *, email: str, name: str, external_id: str, active: bool, by: Actor, at: datetime
) -> Post:
    """Make a post for a person of the organization's own domain, without a role yet.

    Raises NotAllowed, BadValue for another domain, Taken for who is there or of another house.
    """
    _machine(by)
    organization = Organization.objects.select_for_update().get(pk=by.organization_id)
    email = email.strip().lower()
    if not _is_ours(organization, email):
        raise BadValue("The address is not of a domain of your organization.")
    user = User.objects.filter(email=email).first()
    here = Post.objects.filter(organization=organization, email=email).first()
    if here is not None and here.state in LIVING:
        raise Taken("There is such a person already.")
    if user is not None and here is None and Post.objects.filter(user=user).exists():
        raise Taken("There is such a person already.")
    if user is None:
        user = User.objects.create_user(email, name or email)
    post = enrolled(organization=organization, user=user, by=by.who, at=at)
    post.external_id = external_id
    post.save(update_fields=["external_id"])
    _log(post, "member.provision", by, at)
    if not active:
        deactivate_by_directory(post=post, by=by.who, at=at)
    return one_person(by, public_id=post.public_id)


@transaction.atomic
def rename_person(
    *, post: Post, name: str | None, external_id: str | None, by: Actor, at: datetime
) -> None:
    """What the directory calls the person here; the account's own name stays the person's."""
    _machine(by)
    if external_id is not None:
        post.external_id = external_id if external_id != FORGOTTEN else ""
    post.name = name or post.name
    post.save(update_fields=["name", "external_id"])
    _log(post, "member.provision", by, at)


@transaction.atomic
def set_active(*, post: Post, active: bool, by: Actor, at: datetime) -> None:
    """End the post with all that hangs on it, or begin it anew, without a role. Raises NotAllowed.

    Who is on leave stays so: a directory does not know it.
    """
    _machine(by)
    if active and post.state not in LIVING and post.user is not None:
        enrolled(organization=post.organization, user=post.user, by=by.who, at=at)
    elif not active and post.state in LIVING:
        deactivate_by_directory(post=post, by=by.who, at=at)


@transaction.atomic
def forget_person(*, post: Post, by: Actor, at: datetime) -> None:
    """The directory knows the person no more: ended, and no longer named to it."""
    set_active(post=post, active=False, by=by, at=at)
    Post.objects.filter(pk=post.pk).update(external_id=FORGOTTEN)


def groups(by: Actor) -> Mapping[str, Role]:
    """The directory's groups that are roles here, by the organization's own mapping."""
    _machine(by)
    realm = Realm.objects.filter(organization_id=by.organization_id).first()
    mapped = {name: Role(role) for name, role in realm.mapping.items()} if realm else {}
    return {name: role for name, role in mapped.items() if role not in NEVER_MAPPED}


def people_with(by: Actor, role: Role) -> QuerySet[Post]:
    """Who has that role now."""
    held = Membership.objects.filter(
        organization_id=by.organization_id, role=role, ended_at=None
    ).values("user_id")
    return people(by).filter(user_id__in=held)


@transaction.atomic
def set_in_group(*, post: Post, role: Role, member: bool, by: Actor, at: datetime) -> None:
    """Give or end the role of a group; to nobody whose post rests. Raises NotAllowed, NotNow."""
    if role not in groups(by).values() or post.user is None:
        raise NotAllowed()
    if member:
        if post.state != PostState.ACTIVE:
            raise BadValue("The person is not active.")
        add_member(organization=post.organization, user=post.user, role=role, by=by.who, at=at)
        return
    held = Membership.objects.filter(
        organization=post.organization, user=post.user, role=role, ended_at=None
    )
    if held.update(ended_at=at):
        whose = {"user_id": post.user.pk, "organization_id": post.organization_id}
        roles_ended([role], **whose, at=at)
        detail = {"user": post.user.public_id, "role": role.value}
        what = What(custodian=by.organization_code, detail=detail)
        record(who=by.who, action="member.end", at=at, what=what)


def _machine(by: Actor) -> None:
    if by.kind != "client" or SCOPE not in by.scopes or not by.active:
        raise NotAllowed()


def _is_ours(organization: Organization, email: str) -> bool:
    realm = Realm.objects.filter(organization=organization).first()
    domain = domain_of(email)
    known = realm and realm.domains.filter(domain=domain, confirmed_at__isnull=False).exists()
    return bool(domain and known)


def _log(post: Post, action: str, by: Actor, at: datetime) -> None:
    what = What(custodian=by.organization_code, detail={"post": post.public_id})
    record(who=by.who, action=action, at=at, what=what)
