"""The people pages: who may, what they say, and the beginning of an invited person."""

import pytest
from django.test import Client
from django.utils import timezone

from sharing.tenants import services
from sharing.tenants.models import Letter, Membership, User
from tests.cast import PASSWORD, Region, make_person
from tests.sessions import sign_in

OWN = "seven grey herons"


def member(person: User) -> Membership:
    """The person's one role."""
    return Membership.objects.get(user=person)


def secret_for(region: Region, email: str) -> str:
    """Ines has invited that address as clerk."""
    return services.invite(
        email=email,
        name="New Person",
        roles=[services.Role.CLERK],
        by=region.admin.actor,
        at=timezone.now(),
    )


@pytest.mark.parametrize("who", ["ada", "mei", "olga", "ben", "cleo"])
def test_people_pages_are_not_there_without_the_role(
    client: Client, region: Region, who: str
) -> None:
    """404, and nothing happens."""
    sign_in(client, getattr(region, who).user)
    end = f"/people/{member(region.mei.user).pk}/end/"
    for url in ("/people/", "/people/invite/", end):
        assert client.get(url).status_code == 404
    typed = {"name": "Eve", "email": "eve@x.example", "roles": ["administrator"]}
    assert client.post("/people/invite/", typed).status_code == 404
    assert client.post(end).status_code == 404
    assert not Letter.objects.exists()
    assert member(region.mei.user).ended_at is None


def test_the_list_shows_ones_own_people_and_invitations_only(
    client: Client, region: Region
) -> None:
    """Nobody of another house, whatever their role."""
    secret_for(region, "new@riverside.example")
    sign_in(client, region.admin.user)
    page = client.get("/people/").content.decode()
    for shown in ("Ada Brandt", "Mei Tan", "new@riverside.example", "Invited"):
        assert shown in page
    assert "Ben Hartley" not in page


def test_ines_invites_with_a_name_an_address_and_roles(client: Client, region: Region) -> None:
    """Too little is asked for again, and what was typed is kept."""
    sign_in(client, region.admin.user)
    wrong = client.post("/people/invite/", {"name": "Nora Ek", "email": "nora"})
    assert wrong.status_code == 422
    assert set(wrong.context["form"].errors) == {"email", "roles"}
    assert 'value="Nora Ek"' in wrong.content.decode()
    good = {"name": "Nora Ek", "email": "nora@riverside.example", "roles": ["clerk"]}
    assert client.post("/people/invite/", good)["Location"] == "/people/"
    assert Letter.objects.get().roles == ["clerk"]


@pytest.mark.parametrize("role", ["operator", "client", "king"])
def test_no_role_of_the_regions_comes_by_a_form(client: Client, region: Region, role: str) -> None:
    """Also not by a form that was altered."""
    sign_in(client, region.admin.user)
    typed = {"name": "Eve", "email": "eve@x.example", "roles": ["clerk", role]}
    assert client.post("/people/invite/", typed).status_code == 422
    assert not Letter.objects.exists()


def test_an_invited_person_chooses_a_password_and_signs_in(client: Client, region: Region) -> None:
    """Opening the page spends nothing; a weak or mistyped password is asked for again."""
    url = f"/welcome/{secret_for(region, 'nora@riverside.example')}/"
    assert 'value="New Person"' in client.get(url).content.decode()
    weak = client.post(url, {"name": "Nora Ek", "password": "short", "again": "shorter"})
    assert weak.status_code == 422
    assert set(weak.context["form"].errors) == {"password", "again"}
    assert "short" not in weak.content.decode().split("<form", 1)[1].replace("too short", "")
    like = client.post(
        url, {"name": "N", "password": "nora@riverside.example", "again": "nora@riverside.example"}
    )
    assert "too similar" in str(like.context["form"].errors["password"])
    good = client.post(url, {"name": "Nora Ek", "password": OWN, "again": OWN})
    assert good["Location"] == "/accounts/login/"
    login = {"login": "nora@riverside.example", "password": OWN}
    assert client.post("/accounts/login/", login)["Location"] == "/"
    assert client.get(url).status_code == 404


def test_a_known_person_accepts_with_one_button(client: Client, region: Region) -> None:
    """A name and a password in the request are not listened to."""
    url = f"/welcome/{secret_for(region, region.ben.user.email)}/"
    page = client.get(url).content.decode()
    assert "You have an account" in page
    assert 'name="password"' not in page
    client.post(url, {"name": "Eve", "password": OWN, "again": OWN})
    ben = User.objects.get(pk=region.ben.user.pk)
    assert ben.check_password(PASSWORD)
    assert ben.name == "Ben Hartley"
    assert Membership.objects.filter(user=ben, organization=region.riverside).exists()


def test_ending_a_role_is_named_then_done(client: Client, region: Region) -> None:
    """GET asks, POST ends; Mei's next request finds her acting for nobody."""
    mei = sign_in(Client(), region.mei.user)
    assert mei.get("/notices/").status_code == 200
    sign_in(client, region.admin.user)
    url = f"/people/{member(region.mei.user).pk}/end/"
    assert "End the role Clerk of Mei Tan?" in client.get(url).content.decode()
    assert member(region.mei.user).ended_at is None
    assert client.post(url)["Location"] == "/people/"
    assert mei.get("/notices/").status_code == 403
    assert client.post(url).status_code == 404


def test_the_last_administrator_is_told_why_not(client: Client, region: Region) -> None:
    """In words, on the list."""
    sign_in(client, region.admin.user)
    page = client.post(f"/people/{member(region.admin.user).pk}/end/", follow=True)
    assert "This is the last administrator." in page.content.decode()
    assert member(region.admin.user).ended_at is None


def test_no_role_of_another_house_is_ended_by_its_number(client: Client, region: Region) -> None:
    """404, as for a number that does not exist."""
    sign_in(client, region.admin.user)
    for number in (member(region.ben.user).pk, 999_999):
        assert client.post(f"/people/{number}/end/").status_code == 404
    assert member(region.ben.user).ended_at is None


def test_acting_for_another_house_is_chosen_and_said(client: Client, region: Region) -> None:
    """Only from what the person has; the session's key changes with it."""
    services.add_member(
        organization=region.lakeside,
        user=region.ben.user,
        role=services.Role.CLERK,
        by=region.admin.actor.who,
        at=timezone.now(),
    )
    sign_in(client, region.ben.user)
    before = client.session.session_key
    answer = client.post("/act-as/", {"acting": "lakeside:HOPERAT"})
    assert answer["Location"] == "/"
    assert client.session.session_key != before
    page = client.get("/notices/").content.decode()
    assert "You act for Lakeside Imaging Centre now, for operations." in page
    for other in ("riverside:TREAT", "lakeside:TREAT", "hilltop:HRESCH", "", "x"):
        assert client.post("/act-as/", {"acting": other}).status_code == 404
    assert client.session["acting"] == "lakeside:HOPERAT"
    wrong = client.get("/act-as/")
    assert (wrong.status_code, wrong.content) == (405, b"")  # only machines are told in a body


def test_a_suspended_person_is_shown_as_such(client: Client, region: Region) -> None:
    """Colour is not the only sign."""
    other = make_person("Gus Low", region.riverside, services.Role.CLERK)
    User.objects.filter(pk=other.user.pk).update(is_active=False)
    sign_in(client, region.admin.user)
    assert "Suspended" in client.get("/people/").content.decode()
