"""Where people stand: the table in every state and event, leave, licence, the quarter, the end."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from sharing.access.models import Grant, Share
from sharing.access.services import cut_glass, revoke_share, share
from sharing.audit.models import Event
from sharing.audit.rules import SYSTEM
from sharing.kernel.errors import Absent, BadValue
from sharing.kernel.lifecycle import NotNow, step
from sharing.kernel.purposes import Purpose
from sharing.notify.models import Notice
from sharing.notify.posts import tell_due
from sharing.outbox.models import Job
from sharing.tenants import services
from sharing.tenants.errors import LastAdministrator, LinkInvalid, NotAllowed
from sharing.tenants.models import Membership, Post, User
from sharing.tenants.posts import POST_NEXT, PostEvent, PostState
from sharing.tenants.rules import Role
from tests.cast import NOW, Person, Region, make_person
from tests.sessions import sign_in

LATER = NOW + timedelta(days=1)
MOVES = {
    PostEvent.WITHDRAW: services.withdraw_invitation,
    PostEvent.LEAVE: services.send_on_leave,
    PostEvent.RETURN: services.bring_back,
    PostEvent.CONFIRM: services.confirm_post,
    PostEvent.DEACTIVATE: services.deactivate,
}


def post_of(person: Person) -> Post:
    """The person's post."""
    return Post.objects.get(user=person.user)


def roles_of(person: Person) -> set[str]:
    """The roles that a request finds now."""
    choices = services.acting_choices(User.objects.get(pk=person.user.pk))
    return {role for choice in choices for role in choice.roles}


@pytest.mark.parametrize("state", list(PostState))
@pytest.mark.parametrize("event", list(PostEvent))
def test_a_post_moves_as_the_table_says_and_no_other_way(
    region: Region, state: PostState, event: PostEvent
) -> None:
    """Every state and event, by the verbs themselves."""
    post = post_of(region.ada)
    Post.objects.filter(pk=post.pk).update(state=state, resting=["radiologist"])
    wanted = POST_NEXT.get((state, event))
    if event in MOVES:

        def act() -> object:
            return MOVES[event](post=post, by=region.admin.actor, at=LATER)
    elif event == PostEvent.INVITE:

        def act() -> object:
            return services.invite(
                email=region.ada.user.email, name="Ada", roles=[Role.CLERK],
                by=region.admin.actor, at=LATER,
            )  # fmt: skip
    elif event == PostEvent.ENROL:

        def act() -> object:
            return services.add_member(
                organization=region.riverside, user=region.ada.user, role=Role.CLERK,
                by=region.admin.actor.who, at=LATER,
            )  # fmt: skip
    else:
        assert (wanted is None) == ((state, event) not in POST_NEXT)
        if wanted is None:
            with pytest.raises(NotNow):
                step(POST_NEXT, state, event)
        return
    if wanted is None:
        with pytest.raises(NotNow):
            act()
        assert post_of(region.ada).state == state
    else:
        act()
        assert post_of(region.ada).state == wanted


def test_on_leave_the_roles_rest_and_come_back_unchanged(region: Region) -> None:
    """Who was there before is known afterwards, too: the rows have their times."""
    services.add_member(
        organization=region.riverside, user=region.ada.user, role=Role.CLERK,
        by=region.admin.actor.who, at=NOW,
    )  # fmt: skip
    who = region.ada.acting_for(Purpose.TREATMENT).who
    services.send_on_leave(post=post_of(region.ada), by=region.admin.actor, at=LATER)
    assert roles_of(region.ada) == set()
    back = LATER + timedelta(days=30)
    services.bring_back(post=post_of(region.ada), by=region.admin.actor, at=back)
    assert roles_of(region.ada) == {"radiologist", "clerk"}
    known = [services.actor_at(who, at=at) for at in (NOW, LATER + timedelta(days=1), back)]
    assert [actor is not None for actor in known] == [True, False, True]


def test_deactivation_ends_sessions_teams_letters_and_what_was_given(
    region: Region, client: Client, run_jobs: object
) -> None:
    """At once, on every device; and nobody brings it back by an old letter."""
    study, ben = region.study(), region.ben
    region.permit()
    services_share(region, study)
    boss = make_person("Bea Lang", region.hilltop, Role.ADMINISTRATOR)
    team = services.found_team(kind="department", name="Ward 3", by=boss.actor, at=NOW)
    services.join_team(team=team, user=ben.user, by=boss.actor, at=NOW)
    letter = services.invite(
        email=ben.user.email, name="Ben", roles=[Role.CLERK], by=boss.actor, at=NOW
    )
    here, there = sign_in(client, ben.user), sign_in(Client(), ben.user)
    assert here.get("/notices/").status_code == there.get("/notices/").status_code == 200
    services.deactivate(post=post_of(ben), by=boss.actor, at=LATER)
    for browser in (here, there):
        assert browser.get("/notices/")["Location"].startswith("/accounts/login/")
    assert roles_of(ben) == set()
    assert not team.members.filter(ended_at=None).exists()
    with pytest.raises(LinkInvalid):
        services.accept_invitation(secret=letter, name="Ben", password=None, at=LATER)
    assert Grant.objects.filter(user=ben.user, revoked_at=None).exists()
    run_jobs()  # type: ignore[operator]
    assert not Grant.objects.filter(user=ben.user, revoked_at=None).exists()
    assert Event.objects.filter(action="member.deactivate", custodian="hilltop").count() == 1


def services_share(region: Region, study: object) -> None:
    """Ada shares it with Ben by name."""
    at = timezone.now()
    region.permit(at=at)
    share(
        subjects=[study.subject], to=region.hilltop, person=region.ben.user,  # type: ignore[attr-defined]
        purpose=Purpose.TREATMENT, note="", until=at + timedelta(days=30),
        by=region.ada.actor, at=at,
    )  # fmt: skip


def test_with_the_last_role_that_treats_ends_what_was_given_by_name(region: Region) -> None:
    """Ben's roles end one by one; one that is given again later wakes nothing."""
    here = Membership.objects.filter(user=region.ben.user, organization=region.hilltop)
    hal = make_person("Hal Fox", region.hilltop, Role.ADMINISTRATOR)
    for role in (Role.RADIOLOGIST, Role.CLERK):
        services.add_member(
            organization=region.hilltop, user=region.ben.user, role=role, by=SYSTEM, at=NOW
        )
    promised = Job.objects.filter(task="access.end_given")
    for role in (Role.RADIOLOGIST, Role.CLERK):
        services.end_membership(membership=here.get(role=role), by=hal.actor, at=NOW)
    assert not promised.exists()
    services.end_membership(membership=here.get(role=Role.PHYSICIAN), by=hal.actor, at=NOW)
    whose = {"user_id": region.ben.user.pk, "organization_id": region.hilltop.pk}
    assert promised.get().ids == whose


def test_the_last_administrator_neither_leaves_nor_is_deactivated(region: Region) -> None:
    """Until there is another one."""
    post = post_of(region.admin)
    for verb in (services.send_on_leave, services.deactivate):
        with pytest.raises(LastAdministrator):
            verb(post=post, by=region.admin.actor, at=LATER)
    second = make_person("Tom Ash", region.riverside, Role.ADMINISTRATOR)
    services.send_on_leave(post=post, by=second.actor, at=LATER)
    assert roles_of(region.admin) == set()


@pytest.mark.parametrize("who", ["ada", "mei", "olga"])
def test_only_administrators_move_posts_and_only_of_their_house(region: Region, who: str) -> None:
    """Neither another role, nor another house's administrator with the row in hand."""
    foreign = make_person("Bea Lang", region.hilltop, Role.ADMINISTRATOR).actor
    post = post_of(region.mei)
    for verb in (*MOVES.values(), services.check_licence):
        with pytest.raises(NotAllowed):
            verb(post=post, by=getattr(region, who).actor, at=LATER)
        with pytest.raises(Absent):
            verb(post=post, by=foreign, at=LATER)
    assert post_of(region.mei).state == PostState.ACTIVE


def test_roles_that_nobody_confirmed_for_a_quarter_and_a_month_rest(region: Region) -> None:
    """Administrators' never do; a word brings them back; nobody gives it for themselves."""
    second = make_person("Tom Ash", region.riverside, Role.ADMINISTRATOR)
    quarter, late = NOW + timedelta(days=91), NOW + timedelta(days=121)
    assert not services.posts_due(region.admin.actor, at=quarter - timedelta(seconds=1)).exists()
    assert services.posts_due(region.admin.actor, at=quarter).count() == 5
    services.confirm_post(post=post_of(region.mei), by=region.admin.actor, at=quarter)
    assert services.lapse_posts(at=late - timedelta(seconds=1)) == 0
    services.lapse_posts(at=late)
    assert (roles_of(region.ada), roles_of(region.mei)) == (set(), {"clerk"})
    assert roles_of(region.admin) == {"administrator"}
    with pytest.raises(NotAllowed):
        services.confirm_post(post=post_of(second), by=second.actor, at=late)
    services.confirm_post(post=post_of(region.ada), by=second.actor, at=late)
    assert roles_of(region.ada) == {"radiologist"}


def test_a_licence_is_checked_by_somebody_else_and_anew_when_it_changes(region: Region) -> None:
    """Neither by its holder, nor where there is none."""
    post, by = post_of(region.ada), region.admin.actor
    with pytest.raises(BadValue):
        services.check_licence(post=post, by=by, at=NOW)
    services.state_licence(post=post, number="LANR 12", authority="Chamber", by=by, at=NOW)
    own = post_of(region.admin)
    services.state_licence(post=own, number="X", authority="Y", by=by, at=NOW)
    with pytest.raises(NotAllowed):
        services.check_licence(post=own, by=by, at=NOW)
    checked = services.check_licence(post=post, by=by, at=LATER)
    assert (checked.licence_checked_at, checked.licence_checked_by) == (LATER, "Ines Roth")
    again = services.state_licence(post=post, number="13", authority="Chamber", by=by, at=LATER)
    assert again.licence_checked_at is None


def test_an_auditor_reads_the_log_and_changes_nothing(region: Region) -> None:
    """No review, no image, no role."""
    auditor = make_person("Ulla Frey", region.riverside, Role.AUDITOR).actor
    assert auditor.may(services.Duty.READ_LOG)
    for duty in services.Duty:
        assert auditor.may(duty) == (duty in {"read_log", "read_agreements"})
    assert not any(auditor.may_ever(action) for action in ("discover", "images", "download"))
    for act in (
        lambda: cut_glass(review_id="x", by=auditor, at=NOW),
        lambda: services.posts(auditor),
    ):
        with pytest.raises(NotAllowed):
            act()
    study = region.study()
    services_share(region, study)
    with pytest.raises(NotAllowed):
        revoke_share(public_id=Share.objects.get().public_id, by=auditor, at=timezone.now())


def test_the_pages_of_a_post_say_what_will_happen_then_do_it(
    region: Region, client: Client
) -> None:
    """One journey: list, person, licence, leave and back, deactivation; and not for others."""
    page = sign_in(client, region.admin.user).get("/people/").content.decode()
    ada = post_of(region.ada)
    assert "Ada Brandt" in page
    url = f"/people/post/{ada.public_id}/"
    assert "Radiologist" in client.get(url).content.decode()
    assert client.post(url, {"number": "12"}).status_code == 422
    client.post(url, {"number": "12", "authority": "Chamber"})
    assert "not checked yet" in client.get(url).content.decode()
    for event, said in (("check_licence", "is checked"), ("leave", "on leave"), ("return", "back")):
        assert said in client.post(f"{url}{event}/", follow=True).content.decode()
    assert "every open session" in client.get(f"{url}leaving/").content.decode()
    client.post(f"{url}deactivate/", follow=True)
    assert "Ada Brandt" not in client.get("/people/").content.decode()
    assert "Ada Brandt" in client.get("/people/?gone=1").content.decode()
    assert client.post(f"{url}king/").status_code == 404
    assert client.post(f"{url}return/").status_code == 409
    mei = sign_in(Client(), region.mei.user)
    assert mei.get(url).status_code == mei.post(f"{url}invite/").status_code == 404


def test_a_lost_phone_is_an_administrators_to_reset_within_the_own_house(
    region: Region, client: Client
) -> None:
    """Factor and sessions go; not one's own, nor of somebody who is of another house too."""
    for person in (region.ada, region.admin):
        Authenticator.objects.create(user=person.user, type=Authenticator.Type.TOTP, data={})
    ada = sign_in(Client(), region.ada.user)
    sign_in(client, region.admin.user)
    url = "/people/post/{}/forget_factor/"
    assert client.post(url.format(post_of(region.admin).public_id)).status_code == 404
    assert client.post(url.format(post_of(region.ada).public_id)).status_code == 302
    assert [key.user_id for key in Authenticator.objects.all()] == [region.admin.user.pk]
    assert ada.get("/notices/").status_code == 302
    services.add_member(
        organization=region.hilltop, user=region.mei.user, role=Role.CLERK,
        by=region.admin.actor.who, at=NOW,
    )  # fmt: skip
    mei = Post.objects.get(user=region.mei.user, organization=region.riverside)
    assert client.post(url.format(mei.public_id)).status_code == 404


def test_administrators_are_told_once_a_month_that_roles_wait(region: Region) -> None:
    """A number and no name; nobody else is told."""
    late = NOW + timedelta(days=92)
    tell_due(at=late)
    tell_due(at=late + timedelta(hours=1))
    told = Notice.objects.filter(kind="confirm", organization=region.riverside)
    assert [(each.user_id, each.text) for each in told] == [
        (
            region.admin.user.pk,
            "The roles of 4 people wait for your word that they are still needed.",
        )
    ]
