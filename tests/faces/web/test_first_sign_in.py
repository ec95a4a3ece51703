"""From the welcome e-mail to the first page: nothing opens before the two first things are done."""

from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.test import Client

from sharing.audit.models import Event
from sharing.tenants.models import User
from sharing.tenants.services import Role
from tests.cast import PASSWORD, make_organization, make_person

OWN = "a river runs by the house"
PASSWORD_PAGE = "/accounts/password/change/"
CODE_PAGE = "/accounts/2fa/totp/activate/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def sam() -> User:
    """The first administrator of a hospital that asks for a second factor, not yet begun."""
    hospital = make_organization("riverside", "Riverside", requires_second_factor=True)
    user = make_person("Sam Ortiz", hospital, Role.ADMINISTRATOR).user
    User.objects.filter(pk=user.pk).update(must_change_password=True)
    return user


def sign_in(client: Client, user: User, password: str = PASSWORD) -> Any:
    """By the page, as a person does."""
    return client.post("/accounts/login/", {"login": user.email, "password": password})


def choose_password(client: Client) -> Any:
    """The password to begin with is replaced."""
    typed = {"oldpassword": PASSWORD, "password1": OWN, "password2": OWN}
    return client.post(PASSWORD_PAGE, typed)


def set_up_second_factor(client: Client) -> Any:
    """Type the code that the phone shows."""
    secret = client.get(CODE_PAGE).context["form"].secret
    counter = next(iter(yield_hotp_counters_from_time()))
    return client.post(CODE_PAGE, {"code": format_hotp_value(hotp_value(secret, counter))})


def test_sam_is_led_from_the_first_password_to_the_people_page(client: Client, sam: User) -> None:
    """Password, second factor, recovery codes, then the pages of the role."""
    sign_in(client, sam)
    for url in ("/people/", "/notices/", "/accounts/2fa/", CODE_PAGE):
        assert client.get(url)["Location"] == PASSWORD_PAGE
    before = client.session.session_key
    choose_password(client)
    assert client.session.session_key != before
    sam.refresh_from_db()
    assert not sam.must_change_password
    assert Event.objects.filter(action="password.change").count() == 1
    for url in ("/people/", "/notices/", "/accounts/2fa/"):
        assert client.get(url)["Location"] == CODE_PAGE
    assert set_up_second_factor(client)["Location"] == "/accounts/2fa/recovery-codes/"
    assert client.get("/people/").status_code == 200


def test_the_first_password_is_no_password_of_ones_own(client: Client, sam: User) -> None:
    """A weak one is refused, and the step stays."""
    sign_in(client, sam)
    typed = {"oldpassword": PASSWORD, "password1": "short", "password2": "short"}
    assert client.post(PASSWORD_PAGE, typed).status_code == 200
    sam.refresh_from_db()
    assert sam.must_change_password


def test_another_open_session_is_asked_for_the_code(client: Client, sam: User) -> None:
    """A second factor that was set up elsewhere does not vouch for this session."""
    User.objects.filter(pk=sam.pk).update(must_change_password=False)
    other = Client()
    sign_in(client, sam)
    sign_in(other, sam)
    set_up_second_factor(client)
    assert client.get("/people/").status_code == 200
    assert other.get("/people/")["Location"] == "/accounts/2fa/reauthenticate/"


def test_a_later_sign_in_is_unfinished_without_the_code(client: Client, sam: User) -> None:
    """The password alone opens nothing."""
    User.objects.filter(pk=sam.pk).update(must_change_password=False)
    sign_in(client, sam)
    set_up_second_factor(client)
    later = Client()
    assert sign_in(later, sam)["Location"].startswith("/accounts/2fa/authenticate/")
    assert later.get("/people/")["Location"].startswith("/accounts/login/")


def test_polls_and_pictures_are_told_not_led(client: Client, sam: User) -> None:
    """Following them to the second factor's page would change the key that is on the screen."""
    sign_in(client, sam)
    for mode in ("cors", "no-cors"):
        answer = client.get("/notices/", headers={"Sec-Fetch-Mode": mode})
        assert answer.status_code == 403


def test_sign_out_is_open_at_every_step(client: Client, sam: User) -> None:
    """Nobody is held."""
    sign_in(client, sam)
    client.post("/accounts/logout/")
    assert client.get("/people/")["Location"].startswith("/accounts/login/")
