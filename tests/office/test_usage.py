"""Usage by organization and month, scorecards, growth; and every step by command."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from sharing.archive.models import Delivery, DeliveryItem
from sharing.audit.rules import What
from sharing.audit.services import record
from sharing.office import services
from sharing.office.rules import forecast, months_until
from sharing.office.services.figures import card
from sharing.office.services.usage import usage
from sharing.tenants.errors import NotAllowed
from sharing.tenants.models import Organization
from sharing.tenants.rules import Role
from tests.cast import NOW, Person, Region, make_organization, make_person
from tests.sessions import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def olu() -> Person:
    """The region's operator."""
    office = make_organization("office", "Exchange Office", kind="operator")
    return make_person("Olu Park", office, Role.OPERATOR)


def test_what_was_used_stands_in_its_month_and_at_its_organization(region: Region) -> None:
    """Two studies in November, one in October; Ben's views are Hilltop's."""
    for received in (NOW, NOW, NOW - timedelta(days=31)):
        region.study(received_at=received)
    for action in ("study.images", "study.images", "study.share", "study.images"):
        what = What(custodian="riverside")
        record(who=region.ben.actor.who, action=action, at=NOW, what=what)
    told = usage([region.riverside, region.hilltop], months=3, at=NOW)
    assert told.months == [date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)]
    assert [row.studies for row in told.of(region.riverside.pk)] == [0, 1, 2]
    here = told.of(region.hilltop.pk)[-1]
    assert (here.views, here.shares, here.people) == (3, 1, 1)
    assert told.sums("studies") == [0, 1, 2]


def test_the_first_of_january_follows_december(region: Region) -> None:
    """Months over the turn of a year."""
    told = usage([region.riverside], months=3, at=datetime(2027, 1, 31, tzinfo=UTC))
    assert told.months == [date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)]


def test_usage_is_for_who_runs_the_organization_or_the_region(region: Region, olu: Person) -> None:
    """Nobody reads the neighbour's."""
    assert {row.organization.code for row in services.own_usage(
        region.admin.actor, months=1, at=NOW).rows} == {"riverside"}  # fmt: skip
    assert len(services.region_usage(olu.actor, months=1, at=NOW).rows) == 3
    for person in (region.admin, region.ada):
        with pytest.raises(NotAllowed):
            services.region_usage(person.actor, months=1, at=NOW)
    with pytest.raises(NotAllowed):
        services.own_usage(region.olga.actor, months=1, at=NOW)


def test_growth_goes_on_as_in_the_last_three_months() -> None:
    """And says when the room ends, if it does."""
    assert forecast([5, 10, 20, 30], ahead=2) == [85, 105]
    assert forecast([], ahead=1) == [0]
    assert months_until(125, 65, [5, 10, 20, 30]) == 3
    assert months_until(0, 65, [1]) is None
    assert months_until(10**9, 1, [1]) is None
    assert months_until(50, 65, [5, 10, 20, 30]) == 0


def test_a_scorecard_counts_what_it_says(region: Region) -> None:
    """Last image, refused files by class, people without a second factor."""
    at = timezone.now()
    delivery = Delivery.objects.create(
        organization=region.riverside, door="stow", sender="PACS", received_at=at
    )
    for outcome, code in (("stored", ""), ("rejected", "no_pixels"), ("rejected", "no_pixels")):
        DeliveryItem.objects.create(delivery=delivery, outcome=outcome, code=code)
    told = card(region.riverside, at=at)
    assert told.last_image == at
    assert told.errors == [("no_pixels", 2)]
    assert told.refused == 2
    assert (told.people, told.without_second_factor) == (4, 4)
    assert told.days[-1][1:] == (1, 2)
    assert len(told.days) == 14


def test_the_consoles_have_their_pages_and_a_table_that_leaves(
    client: Client, region: Region, olu: Person
) -> None:
    """Each for its own people; for the others they are not there."""
    region.study(received_at=timezone.now())
    own = ("/organization/usage/", "/organization/usage.csv", "/organization/connection/")
    office = ("/region/console/", "/region/work/", "/region/usage/", "/region/usage.csv")
    for person, there, absent in ((region.admin, own, office), (olu, office, own)):
        sign_in(client, person.user)
        assert [client.get(url).status_code for url in there] == [200] * len(there)
        assert [client.get(url).status_code for url in absent] == [404] * len(absent)
    sign_in(client, olu.user)
    table = client.get("/region/usage.csv").content.decode("utf-8-sig").splitlines()
    assert table[0].startswith('"Organization","Month","Studies"')
    assert len(table) == 1 + 3 * 12
    here = [line.split(",") for line in table if line.startswith('"Riverside')]
    assert [line[2] for line in here].count('"1"') == 1, "the operator counts what it may not see"


def run(*args: str, **options: Any) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("organization", *args, stdout=out, **options)
    return out.getvalue()


def test_every_step_is_a_command_by_somebody_who_may(region: Region, olu: Person) -> None:
    """Suspended and resumed by the operator; the history says who and why."""
    by = olu.user.email
    run("suspend", "riverside", by=by, why="An audit.")
    assert Organization.objects.get(code="riverside").state == "suspended"
    run("resume", "riverside", by=by, why="It is over.")
    run("quota", "riverside", by=by, gigabytes=5)
    run("profile", "riverside", by=region.admin.user.email, set=["tier=county", "languages=en,de"])
    run("devices", "riverside", by=region.admin.user.email, set=["RV_CT1"])
    riverside = Organization.objects.get(code="riverside")
    assert (riverside.state, riverside.tier) == ("active", "county")
    assert (riverside.quota_bytes, riverside.ae_titles) == (5 * 10**9, ["RV_CT1"])
    told = run("history", "riverside")
    assert "An audit." in told
    assert "Olu Park" in told
    assert "riverside" in run("list")


@pytest.mark.parametrize(
    ("step", "code", "by"),
    [
        ("suspend", "riverside", "ada@riverside.example"),
        ("suspend", "riverside", "nobody@x.example"),
        ("suspend", "nowhere", "olu@office.example"),
        ("activate", "riverside", "olu@office.example"),
        ("suspend", "hilltop", "ines@riverside.example"),
    ],
)
def test_a_command_refuses_what_a_page_refuses(
    region: Region, olu: Person, step: str, code: str, by: str
) -> None:
    """Roles and states hold for scripts, too."""
    with pytest.raises(CommandError):
        run(step, code, by=by, why="x")
    assert Organization.objects.get(code="riverside").state == "active"


def test_people_come_rest_and_go_by_command(region: Region) -> None:
    """By the administrator; not by one who may not, and nobody without a role."""
    by = region.admin.user.email

    def people(*args: str, **said: Any) -> str:
        out = StringIO()
        call_command("people", *args, stdout=out, **said)
        return out.getvalue().strip()

    nia = "nia@riverside.example"
    with pytest.raises(CommandError):
        people("invite", "riverside", by=region.ada.user.email, email=nia, roles=["clerk"])
    with pytest.raises(CommandError):
        people("invite", "riverside", by=by, email=nia, name="Nia Okafor")
    people("invite", "riverside", by=by, email=nia, name="Nia Okafor", roles=["clerk"])
    assert f"{nia:40} invited" in people("list", "riverside")
    assert people("withdraw", "riverside", by=by, email=nia) == "withdrawn"
    ada = region.ada.user.email
    assert people("leave", "riverside", by=by, email=ada) == "on_leave"
    assert people("return", "riverside", by=by, email=ada) == "active"
    assert people("deactivate", "riverside", by=by, email=ada) == "deactivated"
    with pytest.raises(CommandError, match="do not act"):
        people("leave", "hilltop", by=by, email=ada)
