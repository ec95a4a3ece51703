"""Everything that pages administer has a command, by somebody who may, as on the pages."""

import inspect
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from sharing.archive.services import label_rules
from sharing.notify import hooks, wishes
from sharing.notify.models import Webhook
from sharing.office import services as office
from sharing.partners.services import clients
from sharing.tenants import services as tenants
from sharing.tenants.models import Agreement, Membership, Organization, Sitting, Team
from sharing.tenants.rules import ImplicitPolicy, Role
from tests.cast import Person, Region, make_organization, make_person

pytestmark = pytest.mark.django_db
COMMANDS = Path(django_settings.BASE_DIR).glob("sharing/*/management/commands/*.py")
ELSEWHERE = {
    "say_shown": "a person's own word",
    "choose": "a person's own word",
    "may_forget_factor": "sign-in's own code removes the factor in the same transaction",
    "invited": "a part of invite",
    "provision": "a directory's, by SCIM",
    "rename_person": "a directory's, by SCIM",
    "set_active": "a directory's, by SCIM",
    "forget_person": "a directory's, by SCIM",
    "set_in_group": "a directory's, by SCIM",
    "apply": "a part of change_webhook",
}


@pytest.fixture
def olu() -> Person:
    """The region's operator."""
    office = make_organization("office", "Exchange Office", kind="operator")
    return make_person("Olu Park", office, Role.OPERATOR)


def run(command: str, *arguments: str, by: Person, **said: str) -> str:
    """What the command prints."""
    out = StringIO()
    pairs = [f"{name.rstrip('_')}={value}" for name, value in said.items()]
    call_command(command, *arguments, by=by.user.email, set=pairs, stdout=out)
    return out.getvalue().strip()


def test_each_verb_of_administration_stands_in_a_command() -> None:
    """Verbs: what somebody does at a moment. What has none says why."""
    said = "\n".join(path.read_text(encoding="utf-8") for path in COMMANDS)
    verbs = {
        name
        for room in (tenants, office, clients, hooks, wishes, label_rules)
        for name, verb in inspect.getmembers(room, inspect.isfunction)
        if not name.startswith("_")
        and {"by", "at"} <= set(inspect.signature(verb).parameters)
        and str(inspect.signature(verb).parameters["by"].annotation).endswith("Actor'>")
    }
    assert len(verbs) > 40
    missing = {verb for verb in verbs if not re.search(rf"\b{verb}\b", said)}
    assert missing == verbs & set(ELSEWHERE)


def test_an_agreement_is_recorded_and_ended_by_the_operator(
    region: Region, olu: Person, tmp_path: Path
) -> None:
    """The paper is hashed; a hospital's administrator may not."""
    paper = tmp_path / "signed.pdf"
    paper.write_bytes(b"signed")
    said = {
        "provider": "riverside", "recipient": "hilltop", "purposes": "TREAT,HRESCH",
        "from_": "2026-01-01", "until": "2098-12-31", "signed_for_provider": "Ines",
        "signed_for_recipient": "Ben", "document": str(paper),
    }  # fmt: skip
    key = run("agreement", "record", by=olu, **said)
    kept = Agreement.objects.get(public_id=key)
    assert (kept.provider.code, kept.document) == ("riverside", "signed.pdf")
    assert kept.ends_at.isoformat().startswith("2099-01-01")
    assert key in run("agreement", "list", by=olu)
    assert run("agreement", "end", by=olu, id=key, why="Not wanted.") == "ended"
    for wrong in (said | {"purposes": "FUN"}, said | {"until": "soon"}, {"provider": "riverside"}):
        with pytest.raises(CommandError):
            run("agreement", "record", by=olu, **wrong)
    with pytest.raises(CommandError):
        run("agreement", "record", by=region.admin, **said)
    assert Agreement.objects.count() == 1


def test_the_regions_rules_are_set_and_what_opens_is_said_first(
    region: Region, olu: Person
) -> None:
    """A script that widens must say that it knows."""
    assert "policy=deny" in run("region", "show", by=olu)
    run("region", "set", by=olu, emergency_hours="2", agreements="yes")
    held = tenants.region_settings()
    assert (held.emergency_hours, held.agreements, held.policy) == (2, True, ImplicitPolicy.DENY)
    with pytest.raises(CommandError, match="policy"):
        run("region", "set", by=olu, policy="treating")
    run("region", "set", by=olu, policy="treating", understood="yes")
    assert tenants.region_settings().policy == ImplicitPolicy.TREATING
    for wrong in ({"emergency_hours": "9"}, {"implied": "maybe"}, {"colour": "red"}):
        with pytest.raises(CommandError):
            run("region", "set", by=olu, **wrong)
    with pytest.raises(CommandError):
        run("region", "set", by=region.admin, emergency_hours="1")


def test_an_organization_decides_for_itself_by_command(region: Region, olu: Person) -> None:
    """Its own people alone; the stricter rule is its privacy officer's."""
    run("region", "set", by=olu, policy="treating", understood="yes")
    run("setting", "policy", "riverside", by=region.olga, policy="deny")
    assert Organization.objects.get(code="riverside").own_policy == ImplicitPolicy.DENY
    run("setting", "sessions", "riverside", by=region.admin, idle_minutes="20")
    assert Sitting.objects.get(organization=region.riverside).limits.idle_minutes == 20
    run("setting", "notices", "riverside", by=region.admin, shared="daily")
    run(
        "setting", "sign-in", "riverside", by=region.admin, client_id="portal",
        issuer="https://sso.riverside.example.org", roles="readers:radiologist",
        domains="riverside.example",
    )  # fmt: skip
    run("region", "domain", by=olu, domain="riverside.example", organization="riverside")
    realm = tenants.realm_for("ada@riverside.example")
    assert realm is not None
    assert realm.mapping == {"readers": "radiologist"}
    for step, more in (("sessions", {"idle_minutes": "9"}), ("notices", {"shared": "never"})):
        with pytest.raises(CommandError):
            run("setting", step, "riverside", by=olu, **more)


def test_teams_clients_webhooks_and_rules_by_command(region: Region) -> None:
    """Made, listed, ended."""
    by: Any = {"by": region.admin}
    team = run("team", "found", "riverside", **by, kind="department", name="Cardiology")
    run("team", "join", "riverside", **by, team=team, email=region.ada.user.email)
    assert Team.objects.get().members.filter(ended_at=None).count() == 1
    run("team", "leave", "riverside", **by, team=team, email=region.ada.user.email)
    run("team", "end", "riverside", **by, team=team)
    assert run("team", "list", "riverside", **by) == ""
    made = run("client", "create", "riverside", **by, name="RIS", scopes="studies.read")
    client, secret = made.split("\t")
    assert run("client", "rotate", "riverside", **by, client=client) != f"{client}\t{secret}"
    assert client in run("client", "list", "riverside", **by)
    run("client", "end", "riverside", **by, client=client)
    url = "https://ris.example.org/hook"
    made = run("webhook", "create", "riverside", **by, url=url, kinds="study.received")
    hook, secret = made.split("\t")
    run("webhook", "change", "riverside", **by, webhook=hook, paused="yes")
    assert Webhook.objects.get().paused
    assert run("webhook", "rotate", "riverside", **by, webhook=hook) != secret
    assert run("webhook", "test", "riverside", **by, webhook=hook)
    run("webhook", "end", "riverside", **by, webhook=hook)
    said = {"label": "PSY", "reason": "A ward for the mind.", "words": "psychiatry"}
    rule = run("labels", "make", "riverside", by=region.olga, **said)
    run("labels", "end", "riverside", by=region.olga, rule=rule)
    assert "ended" in run("labels", "list", "riverside", by=region.olga)
    with pytest.raises(CommandError):
        run("labels", "make", "riverside", by=region.ada, **said)


def test_support_and_people_by_command(region: Region, olu: Person) -> None:
    """Two persons for a session; a role ends, a licence is written down and checked."""
    session = run(
        "support", "ask", "office", by=olu, organization="riverside", hours="1",
        reason="A study does not open.",
    )  # fmt: skip
    with pytest.raises(CommandError):
        run("support", "answer", "office", by=olu, session=session, event="approve")
    told = run("support", "answer", "riverside", by=region.olga, session=session, event="approve")
    assert told == "open"
    people: Any = {"by": region.admin.user.email, "email": region.ada.user.email}
    call_command("people", "licence", "riverside", **people, licence="1", authority="Council")
    call_command("people", "check-licence", "riverside", **people)
    call_command("people", "end-role", "riverside", **people, roles=["radiologist"])
    held = Membership.objects.filter(user=region.ada.user, ended_at=None)
    assert not held.filter(role=Role.RADIOLOGIST).exists()
