"""Where people stand at an organization: on leave and back, confirmed, deactivated, licensed."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from sharing.audit.rules import SYSTEM, What, Who
from sharing.audit.services import record
from sharing.kernel.errors import Absent, BadValue
from sharing.kernel.lifecycle import step
from sharing.kernel.tokens import public_id as new_public_id
from sharing.outbox.services import promise
from sharing.tenants.errors import LastAdministrator, NotAllowed
from sharing.tenants.models import Letter, Membership, Organization, Post, TeamMember, User
from sharing.tenants.posts import (
    CONFIRMED_EVERY,
    GRACE,
    POST_NEXT,
    PostEvent,
    PostState,
    due_at,
)
from sharing.tenants.rules import TREATING, Actor, Duty, Role

from .acting import require


def posts(actor: Actor) -> QuerySet[Post]:
    """Everybody's post at the actor's organization, by name. Raises NotAllowed."""
    require(actor, Duty.MANAGE_MEMBERS)
    found = Post.objects.filter(organization_id=actor.organization_id).select_related("user")
    return found.order_by("name", "pk")


def post_of(actor: Actor, *, public_id: str) -> Post:
    """One of them. Raises NotAllowed, Absent."""
    found = posts(actor).filter(public_id=public_id).first()
    if found is None:
        raise Absent()
    return found


def posts_due(actor: Actor, *, at: datetime) -> QuerySet[Post]:
    """Whose roles somebody should confirm by now. Raises NotAllowed."""
    states = (PostState.ACTIVE, PostState.LAPSED)
    return posts(actor).filter(state__in=states, confirmed_at__lte=at - CONFIRMED_EVERY)


def confirmation_due(confirmed_at: datetime) -> datetime:
    """When somebody must say again that the person needs the roles."""
    return due_at(confirmed_at)


@transaction.atomic
def invited(*, email: str, name: str, by: Actor, at: datetime) -> Post:
    """There is a post for who is invited. Raises NotNow for one that rests."""
    return _brought(by.organization_id, email.lower(), None, name, PostEvent.INVITE, at)


@transaction.atomic
def accepted(*, organization: Organization, user: User, at: datetime) -> Post:
    """The person took the invitation up. Raises NotNow."""
    return _brought(organization.pk, user.email, user, user.name, PostEvent.ACCEPT, at)


@transaction.atomic
def enrolled(*, organization: Organization, user: User, by: Who, at: datetime) -> Post:
    """The person has a post without a letter. Raises NotNow for one that rests."""
    return _brought(organization.pk, user.email, user, user.name, PostEvent.ENROL, at, by.name)


def _brought(
    organization_id: int,
    email: str,
    user: User | None,
    name: str,
    event: PostEvent,
    at: datetime,
    by: str = "",
) -> Post:
    """The one post of that address or person, moved; or a new one."""
    known = Q(email=email) | Q(user=user) if user else Q(email=email) | Q(user__email=email)
    post = (
        Post.objects.select_for_update(of=("self",))
        .filter(known, organization_id=organization_id)
        .first()
    )
    if post is None:
        first = PostState.INVITED if event == PostEvent.INVITE else PostState.ACTIVE
        return Post.objects.create(
            organization_id=organization_id,
            user=user,
            email=email,
            name=name,
            state=first,
            moved_at=at,
            confirmed_at=at,
            confirmed_by=by,
        )
    before = post.state
    post.state = step(POST_NEXT, PostState(before), event)
    post.user = post.user or user
    if post.state != before:
        post.name, post.moved_at, post.confirmed_at = name or post.name, at, at
    post.save(update_fields=["user", "state", "name", "moved_at", "confirmed_at"])
    return post


@transaction.atomic
def withdraw_invitation(*, post: Post, by: Actor, at: datetime) -> Post:
    """Nobody may take it up any more. Raises NotAllowed, Absent, NotNow."""
    own = _moved(post, PostEvent.WITHDRAW, by, at)
    _spend_letters(own, at)
    return own


@transaction.atomic
def send_on_leave(*, post: Post, by: Actor, at: datetime) -> Post:
    """The roles rest with the next request, and come back with the person.

    Raises NotAllowed, Absent, NotNow, LastAdministrator.
    """
    return _rest(_moved(post, PostEvent.LEAVE, by, at), at)


@transaction.atomic
def bring_back(*, post: Post, by: Actor, at: datetime) -> Post:
    """The person is back, with the roles that rested. Raises NotAllowed, Absent, NotNow."""
    return _wake(_moved(post, PostEvent.RETURN, by, at), at)


@transaction.atomic
def confirm_post(*, post: Post, by: Actor, at: datetime) -> Post:
    """Somebody says that the person still needs these roles; roles that lapsed come back.

    Nobody confirms themselves, but for the only administrator. Raises NotAllowed, Absent, NotNow.
    """
    if post.user_id == by.user_id and _other_administrators(post):
        raise NotAllowed()
    own = _moved(post, PostEvent.CONFIRM, by, at)
    own.confirmed_at, own.confirmed_by = at, by.name
    own.save(update_fields=["confirmed_at", "confirmed_by"])
    return _wake(own, at)


@transaction.atomic
def deactivate(*, post: Post, by: Actor, at: datetime) -> Post:
    """The person left: roles, teams, invitations, sessions and what was given to them end at once.

    Raises NotAllowed, Absent, NotNow, LastAdministrator.
    """
    own = _rest(_moved(post, PostEvent.DEACTIVATE, by, at), at)
    own.resting = []
    own.save(update_fields=["resting"])
    _end_all(own, at)
    return own


@transaction.atomic
def deactivate_by_directory(*, post: Post, by: Who, at: datetime) -> Post:
    """The same, said by the organization's own directory; also of the last administrator.

    Raises NotNow.
    """
    own = _step(Post.objects.select_for_update().get(pk=post.pk), PostEvent.DEACTIVATE, by, at)
    _end_roles(own, at)
    _end_all(own, at)
    return own


@transaction.atomic
def state_licence(*, post: Post, number: str, authority: str, by: Actor, at: datetime) -> Post:
    """The licence that the person works under; a new number is not checked yet.

    Raises NotAllowed, Absent, BadValue.
    """
    own = _own(post, by)
    if not number.strip() or not authority.strip():
        raise BadValue("A licence has a number and an authority that gave it.")
    own.licence, own.licence_authority = number.strip(), authority.strip()
    own.licence_checked_at, own.licence_checked_by = None, ""
    own.save(
        update_fields=[
            "licence", "licence_authority", "licence_checked_at", "licence_checked_by",
        ]
    )  # fmt: skip
    _log(own, "member.licence", by.who, at)
    return own


@transaction.atomic
def check_licence(*, post: Post, by: Actor, at: datetime) -> Post:
    """Somebody else looked at the register, and it is so. Raises NotAllowed, Absent, BadValue."""
    own = _own(post, by)
    if own.user_id == by.user_id:
        raise NotAllowed()
    if not own.licence:
        raise BadValue("There is no licence to check.")
    own.licence_checked_at, own.licence_checked_by = at, by.name
    own.save(update_fields=["licence_checked_at", "licence_checked_by"])
    _log(own, "member.check_licence", by.who, at)
    return own


@transaction.atomic
def may_forget_factor(*, post: Post, by: Actor, at: datetime) -> User:
    """The person lost phone and key: their second factor goes, and their sessions with it.

    Not one's own, and not of somebody who is of another house too: that house did not agree. Who
    removes it (the sign-in is another's code) does so in the same transaction. Raises NotAllowed,
    Absent.
    """
    own = _own(post, by)
    elsewhere = Post.objects.filter(user=own.user, state__in=_THERE).exclude(pk=own.pk)
    if own.user is None or own.user_id == by.user_id or elsewhere.exists():
        raise NotAllowed()
    User.objects.filter(pk=own.user.pk).update(sessions_from=new_public_id())
    _log(own, "member.forget_factor", by.who, at)
    return own.user


_THERE = (PostState.ACTIVE, PostState.ON_LEAVE, PostState.LAPSED)


def lapse_posts(*, at: datetime) -> int:
    """Rest the roles of those whom nobody confirmed in time, and how many; administrators stay."""
    late = Post.objects.filter(
        state=PostState.ACTIVE, confirmed_at__lte=at - CONFIRMED_EVERY - GRACE
    )
    administers = Membership.objects.filter(
        role__in=(Role.ADMINISTRATOR, Role.OPERATOR), ended_at=None
    ).values("user_id")
    keys = late.exclude(user_id__in=administers).order_by("pk").values_list("pk", flat=True)
    return sum(_lapsed(key, at) for key in list(keys[:500]))


@transaction.atomic
def _lapsed(key: int, at: datetime) -> bool:
    post = Post.objects.select_for_update().filter(pk=key, state=PostState.ACTIVE).first()
    if post is None or post.confirmed_at > at - CONFIRMED_EVERY - GRACE:
        return False  # somebody was quicker
    _rest(_step(post, PostEvent.LAPSE, SYSTEM, at), at)
    return True


@transaction.atomic
def end_sessions(*, user: User, at: datetime) -> None:
    """Sign a person out everywhere: no session begun before is theirs any more."""
    User.objects.filter(pk=user.pk).update(sessions_from=new_public_id())
    who = Who(kind="user", id=user.public_id, name=user.name)
    record(who=who, action="sign.out_everywhere", at=at)


def _own(post: Post, by: Actor) -> Post:
    require(by, Duty.MANAGE_MEMBERS)
    own = Post.objects.select_for_update().filter(pk=post.pk, organization_id=by.organization_id)
    found = own.first()
    if found is None:
        raise Absent()
    return found


def _moved(post: Post, event: PostEvent, by: Actor, at: datetime) -> Post:
    own = _own(post, by)
    if event in {PostEvent.LEAVE, PostEvent.DEACTIVATE} and not _other_administrators(own):
        raise LastAdministrator()
    return _step(own, event, by.who, at)


def _step(post: Post, event: PostEvent, by: Who, at: datetime) -> Post:
    post.state, post.moved_at = step(POST_NEXT, PostState(post.state), event), at
    post.save(update_fields=["state", "moved_at"])
    _log(post, f"member.{event}", by, at)
    return post


def _other_administrators(post: Post) -> bool:
    """Whether somebody else administers the organization; locked until the transaction ends."""
    Organization.objects.select_for_update().get(pk=post.organization_id)
    administering = Membership.objects.filter(
        organization_id=post.organization_id,
        role__in=(Role.ADMINISTRATOR, Role.OPERATOR),
        ended_at=None,
        user__is_active=True,
    )
    return administering.exclude(user=post.user).exists()


def _rest(post: Post, at: datetime) -> Post:
    """End the rows of the roles, and remember which they were."""
    post.resting = _end_roles(post, at) or post.resting
    post.save(update_fields=["resting"])
    return post


def _end_roles(post: Post, at: datetime) -> list[str]:
    held = Membership.objects.filter(
        organization_id=post.organization_id, user=post.user, ended_at=None
    )
    roles = sorted(held.values_list("role", flat=True))
    held.update(ended_at=at)
    return roles


def _wake(post: Post, at: datetime) -> Post:
    for role in post.resting:
        Membership.objects.get_or_create(
            organization_id=post.organization_id,
            user=post.user,
            role=role,
            ended_at=None,
            defaults={"since": at},
        )
    post.resting = []
    post.save(update_fields=["resting"])
    return post


def _end_all(post: Post, at: datetime) -> None:
    """What a person has beside the roles: letters, teams, sessions, and what was given to them.

    What others gave to the person there opens nothing without a role; its rows end by the promise.
    """
    _spend_letters(post, at)
    if post.user_id is None:
        return
    here = TeamMember.objects.filter(team__organization_id=post.organization_id, user=post.user)
    here.filter(ended_at=None).update(ended_at=at)
    User.objects.filter(pk=post.user_id).update(sessions_from=new_public_id())
    promise("access.end_given", at=at, user_id=post.user_id, organization_id=post.organization_id)


def roles_ended(roles: Iterable[str], *, user_id: int, organization_id: int, at: datetime) -> None:
    """With the last role that treats patients ends what was given to the person by name there: a
    role that is given again later wakes none of it. A leave ends nothing.
    """
    treats = Membership.objects.filter(
        user_id=user_id, organization_id=organization_id, role__in=TREATING, ended_at=None
    )
    if TREATING & set(roles) and not treats.exists():
        promise("access.end_given", at=at, user_id=user_id, organization_id=organization_id)


def _spend_letters(post: Post, at: datetime) -> None:
    open_letters = Letter.objects.filter(
        kind=Letter.Kind.JOIN,
        organization_id=post.organization_id,
        email=post.email,
        used_at=None,
    )
    open_letters.update(used_at=at)


def _log(post: Post, action: str, by: Who, at: datetime) -> None:
    detail = {"post": post.public_id}
    if post.user_id is not None and post.user is not None:
        detail["user"] = post.user.public_id
    what = What(custodian=post.organization.code, detail=detail)
    record(who=by, action=action, at=at, what=what)
