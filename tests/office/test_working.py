"""The region's jobs: who sees them, and who has what was given up tried again."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sharing.audit.models import Event
from sharing.office import services
from sharing.outbox.models import Job
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Role
from tests.cast import Person, Region, make_organization, make_person
from tests.sessions import sign_in

pytestmark = pytest.mark.django_db
WORK = reverse("web:region-work")


@pytest.fixture
def olu() -> Person:
    """The region's operator."""
    office = make_organization("office", "Exchange Office", kind="operator")
    return make_person("Olu Park", office, Role.OPERATOR)


def give_up(number: int = 1) -> Job:
    """A job that nobody could do."""
    at = timezone.now()
    return Job.objects.create(
        task="notify.deliver", ids={"delivery_id": number}, parked_at=at, attempts=5
    )


def test_a_press_has_it_tried_again_and_the_log_says_who(
    client: Client, region: Region, olu: Person
) -> None:
    """All jobs of the task, and a second press changes nothing."""
    jobs = [give_up(number) for number in (1, 2)]
    sign_in(client, olu.user)
    page = client.get(WORK).content.decode()
    assert "notify.deliver" in page
    assert "Try again" in page
    assert "Jobs of the last 24 hours" in page
    said = client.post(WORK, {"task": "notify.deliver"}, follow=True).content.decode()
    assert "Tried again: 2 jobs." in said
    assert Job.objects.filter(pk__in=[job.pk for job in jobs], parked_at=None).count() == 2
    again = client.post(WORK, {"task": "notify.deliver"}, follow=True).content.decode()
    assert "Nothing of it is given up any more." in again
    event = Event.objects.get(action="region.try_again")
    assert (event.detail, event.actor_name) == ({"task": "notify.deliver", "jobs": 2}, "Olu Park")


def test_nobody_else_tries_them_again(client: Client, region: Region, olu: Person) -> None:
    """For a hospital's administrator neither the page nor the verb is there."""
    give_up()
    sign_in(client, region.admin.user)
    assert client.post(WORK, {"task": "notify.deliver"}).status_code == 404
    with pytest.raises(NotAllowed):
        services.try_again(task="notify.deliver", by=region.admin.actor, at=timezone.now())
    with pytest.raises(CommandError):
        call_command("jobs", "again", "notify.deliver", by=region.admin.user.email)
    assert Job.objects.exclude(parked_at=None).count() == 1


def test_the_same_by_command(region: Region, olu: Person) -> None:
    """List, hours, again."""
    give_up()
    out = StringIO()
    for arguments in (("list",), ("hours",), ("again", "notify.deliver"), ("list",)):
        call_command("jobs", *arguments, by=olu.user.email, stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("notify.deliver\t1\t")
    assert (len(lines), lines[-1]) == (1 + 25 + 1, "1")
