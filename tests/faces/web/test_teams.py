"""Departments are made and filled on a page; the directory shows what people agreed to show."""

import pytest
from django.test import Client

from sharing.tenants import services
from sharing.tenants.models import Team
from sharing.tenants.services import Shown
from tests.cast import NOW, Region
from tests.sessions import sign_in

pytestmark = pytest.mark.django_db
URL = "/organization/departments/"


def test_the_administrator_makes_a_department_and_says_who_is_in_it(
    client: Client, region: Region
) -> None:
    """Ada joins, leaves, and the department ends; a second one of that name is refused."""
    sign_in(client, region.admin.user)
    made = client.post(URL, {"name": "Radiology", "kind": "department"})
    team = Team.objects.get()
    assert made["Location"] == f"{URL}{team.public_id}/"
    again = client.post(URL, {"name": "Radiology", "kind": "department"})
    assert again.status_code == 422
    assert "of that name already" in again.content.decode()
    ada = region.ada.user.public_id
    assert client.post(f"{URL}{team.public_id}/", {"who": ada}).status_code == 302
    assert list(services.treating_members(team)) == [region.ada.user]
    ben = region.ben.user.public_id
    assert client.post(f"{URL}{team.public_id}/", {"who": ben}).status_code == 422
    client.post(f"{URL}{team.public_id}/", {"what": "leave", "person": ada})
    assert not services.treating_members(team).exists()
    wrong = client.post(f"{URL}{team.public_id}/", {"what": "leave", "person": ada})
    assert wrong.status_code == 400
    client.post(f"{URL}{team.public_id}/", {"what": "end"})
    assert client.get(f"{URL}{team.public_id}/").status_code == 404


def test_departments_are_for_the_own_administrator(client: Client, region: Region) -> None:
    """Another organization's is not there."""
    sign_in(client, region.ada.user)
    assert client.get(URL).status_code == 404
    team = Team.objects.create(organization=region.hilltop, kind="department", name="X")
    sign_in(client, region.admin.user)
    assert client.get(f"{URL}{team.public_id}/").status_code == 404


def test_nobody_is_listed_who_did_not_agree(client: Client, region: Region) -> None:
    """And of who did only what they agreed to."""
    sign_in(client, region.ben.user)
    assert "Ada Brandt" not in client.get("/staff/").content.decode()
    sign_in(client, region.ada.user)
    said = {"listed": "on", "speciality": "Thoracic imaging", "phone": "+00 555 1"}
    assert client.post("/staff/me/", said).status_code == 302
    sign_in(client, region.ben.user)
    page = client.get("/staff/?q=thoracic").content.decode()
    assert "Ada Brandt" in page
    assert "+00 555 1" in page
    assert region.ada.user.email not in page
    assert "Ada Brandt" not in client.get("/staff/?q=surgery").content.decode()


def test_who_says_no_is_offered_to_nobody_by_name(region: Region) -> None:
    """Who never said is offered, as before; who takes it back is gone from the list."""
    offered = [row.user for row in services.treating_people(without=region.hilltop.pk)]
    assert region.ada.user in offered
    services.say_shown(shown=Shown(listed=True), by=region.ada.actor, at=NOW)
    assert [entry.name for entry in services.directory(region.ben.actor)] == ["Ada Brandt"]
    services.say_shown(shown=Shown(listed=False), by=region.ada.actor, at=NOW)
    offered = [row.user for row in services.treating_people(without=region.hilltop.pk)]
    assert region.ada.user not in offered
    assert services.directory(region.ben.actor) == []
