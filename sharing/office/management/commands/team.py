"""`manage.py team join riverside --as ines@riverside.example --set team=... email=...`"""

from django.core.management import CommandError

from sharing.office.management.steps import Said, Steps
from sharing.tenants import services
from sharing.tenants.models import Team, User
from sharing.tenants.rules import TeamKind


def _list(said: Said) -> str:
    rows = services.teams(organization_id=said.by.organization_id)
    return "\n".join(f"{row.public_id}\t{row.kind}\t{row.name}" for row in rows)


def _found(said: Said) -> str:
    kind = said.one_of(TeamKind, "kind")
    made = services.found_team(kind=kind, name=said["name"], by=said.by, at=said.at)
    return str(made.public_id)


def _end(said: Said) -> str:
    services.end_team(team=_team(said), by=said.by, at=said.at)
    return "ended"


def _join(said: Said) -> str:
    services.join_team(team=_team(said), user=_person(said), by=said.by, at=said.at)
    return "joined"


def _leave(said: Said) -> str:
    services.leave_team(team=_team(said), user=_person(said), by=said.by, at=said.at)
    return "left"


def _team(said: Said) -> Team:
    return services.team_of(said.by, public_id=said["team"])


def _person(said: Said) -> User:
    found = User.objects.filter(email=said["email"].lower()).first()
    if found is None:
        raise CommandError("Nobody has this address.")
    return found


class Command(Steps):
    """Lists, founds, ends, and who is in it."""

    help = "Departments and care teams."
    steps = {
        "list": (_list, ""),
        "found": (_found, "kind name"),
        "end": (_end, "team"),
        "join": (_join, "team email"),
        "leave": (_leave, "team email"),
    }
