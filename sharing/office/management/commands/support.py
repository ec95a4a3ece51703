"""`manage.py support ask operator --as nora@exchange.example --set organization=riverside ...`

Support sessions: asked for by one of the operator, opened by somebody of the hospital.
"""

from sharing.office.management.steps import Said, Steps
from sharing.tenants import services


def _list(said: Said) -> str:
    rows = services.support_sessions(said.by)
    return "\n".join(
        f"{row.public_id}\t{row.organization.code}\t{row.state}\t{row.hours}" for row in rows
    )


def _ask(said: Said) -> str:
    made = services.ask_support(
        organization=services.find_organization(said["organization"]), reason=said["reason"],
        hours=said.one_of(int, "hours"), by=said.by, at=said.at,
    )  # fmt: skip
    return str(made.public_id)


def _answer(said: Said) -> str:
    event = said.one_of(services.SupportEvent, "event")
    found = services.answer_support(public_id=said["session"], event=event, by=said.by, at=said.at)
    return str(found.state)


class Command(Steps):
    """Lists, asks, answers."""

    help = "Support sessions."
    steps = {
        "list": (_list, ""),
        "ask": (_ask, "organization reason hours"),
        "answer": (_answer, "session event"),
    }
