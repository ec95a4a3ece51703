"""The notices: one's own, marked read by opening, leading to what they are about."""

import pytest
from django.test import Client

from sharing.notify.models import Notice
from tests.cast import Person, Region
from tests.sessions import sign_in


def notice_for(person: Person, **facts: str) -> Notice:
    """Something that the person was told."""
    values = {"kind": "shared", "text": "Ada shared a study with you.", "link": "/notices/"}
    values |= {"key": "k1"} | facts
    return Notice.objects.create(user=person.user, organization=person.organization, **values)


def test_opening_a_notice_marks_it_read_and_leads_on(client: Client, region: Region) -> None:
    """The bell in the header says how many are new, until then."""
    notice = notice_for(region.ben)
    sign_in(client, region.ben.user)
    page = client.get("/notices/").content.decode()
    assert "Ada shared a study with you." in page
    assert 'aria-label="Notices, 1 new"' in page
    assert client.get(f"/notices/{notice.pk}/")["Location"] == "/notices/"
    assert 'aria-label="Notices"' in client.get("/notices/").content.decode()


def test_anothers_notice_is_not_there(client: Client, region: Region) -> None:
    """And stays unread."""
    notice = notice_for(region.ben)
    sign_in(client, region.cleo.user)
    assert client.get(f"/notices/{notice.pk}/").status_code == 404
    assert client.get("/notices/999999/").status_code == 404
    assert "Ada shared" not in client.get("/notices/").content.decode()
    client.post("/notices/")
    notice.refresh_from_db()
    assert notice.read_at is None


def test_all_are_marked_read_at_once(client: Client, region: Region) -> None:
    """By a button."""
    for key in ("k1", "k2"):
        notice_for(region.ben, key=key)
    sign_in(client, region.ben.user)
    client.post("/notices/")
    assert not Notice.objects.filter(read_at=None).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["/notices/", "/people/", "/operator/", "/notices/1/"])
def test_a_stranger_is_led_to_the_sign_in_page_and_back(client: Client, url: str) -> None:
    """The address that was asked for comes along."""
    answer = client.get(url)
    assert answer.status_code == 302
    assert answer["Location"] == f"/accounts/login/?next={url}"


@pytest.mark.django_db
def test_a_partial_page_tells_the_browser_to_go_to_the_sign_in_page(client: Client) -> None:
    """htmx would put the sign-in page into the middle of another."""
    answer = client.get("/notices/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/accounts/login/")


def test_the_bell_of_an_open_page_says_what_came_and_nothing_twice(region: Region) -> None:
    ben = sign_in(Client(), region.ben.user)
    assert 'hx-get="/notices/bell/?known=0"' in ben.get("/notices/").content.decode()
    assert ben.get("/notices/bell/?known=0").status_code == 204
    notice_for(region.ben)
    rung = ben.get("/notices/bell/?known=0")
    assert 'aria-label="Notices, 1 new"' in rung.content.decode()
    assert ben.get("/notices/bell/?known=1").status_code == 204
