"""The table of what each role may do, as docs/roles.md publishes it: made from the code.

Made anew by `python -m tests.house.roles > docs/roles.md`.
"""

from collections.abc import Iterator

from sharing.kernel.purposes import Action, Purpose
from sharing.partners.rules import SCOPES
from sharing.tenants.rules import ACTIONS, DUTIES, PURPOSES, Duty, Role

WITH_STUDIES = {
    Action.DISCOVER: "know that a study exists",
    Action.REPORT: "read reports",
    Action.IMAGES: "view images",
    Action.DOWNLOAD: "download",
    Action.SEND: "send to an archive",
    Action.RESHARE: "share on",
    Action.AI: "have software analyse it",
}
WITHOUT = {
    Duty.UPLOAD: "upload studies",
    Duty.RECORD_CONSENT: "record consents",
    Duty.READ_LOG: "read the access log of the organization",
    Duty.GUARD: "review emergencies, answer recalls, end shares and links of the organization",
    Duty.MANAGE_MEMBERS: "invite people, set roles, send on leave, deactivate, confirm",
    Duty.APPROVE_ORGANIZATIONS: "decide which organizations join",
    Duty.SHARE: "share, ask for access and answer who asks",
    Duty.DELETE: "delete studies of the organization",
    Duty.HOLD: "put studies on legal hold",
    Duty.REJECT: "reject images",
    Duty.DECIDE: "decide between versions of an image",
    Duty.LABEL: "label studies as sensitive",
    Duty.LIFT_LABEL: "take labels off",
    Duty.RULE_LABELS: "make rules for labels",
    Duty.MANAGE_TEAMS: "make departments and care teams",
    Duty.SET_POLICY: "tighten the organization's implicit policy",
    Duty.SET_REGION: "set what holds in the region",
    Duty.RELATE: "record referrals and transfers",
    Duty.ASK_CONSULT: "record consults",
    Duty.RECORD_AGREEMENT: "record agreements between organizations",
    Duty.READ_AGREEMENTS: "read agreements",
    Duty.BREAK_GLASS: "use emergency access",
    Duty.RUN_ORGANIZATION: "run the organization: profile, devices, connection, terms, leaving",
    Duty.NOTE: "keep measurements and key images",
}
"""Words for each duty; one that is missing here still has its row, under its own name."""

BY_SCOPE = {
    "people.write": "keep the organization's people by its directory (SCIM)",
    "staff.read": "read who works at the organization",
    "log.read": "read the access log of the organization",
    "log.witness": "witness that the access log only grows",
}
"""What a machine may by a scope that an administrator gave it, whatever stands under *Client*."""

HEAD = """# What each role may do

Made from the code (`python -m tests.house.roles > docs/roles.md`); a test holds both equal. A role
is held at one organization. A person acts for one organization and one purpose at a time. What a
role may do with studies is the most that a consent, a share or the own house can open to it:
nothing here opens a study by itself. *Client* is a machine, *Bearer* whoever comes by a link; who
supports a hospital from the operator's side has a role only while a support session lasts.
"""


def table() -> str:
    """The page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield HEAD
    roles = list(Role)
    yield "| | " + " | ".join(role.words for role in roles) + " |"
    yield "|---|" + "---|" * len(roles)
    yield "| **For which purposes** |" + " |" * len(roles)
    for purpose in Purpose:
        yield _row(purpose.words, [purpose in PURPOSES[role] for role in roles])
    yield "| **With studies, at most** |" + " |" * len(roles)
    for action in Action:
        yield _row(WITH_STUDIES.get(action, action), [action in ACTIONS[role] for role in roles])
    yield "| **Beside studies** |" + " |" * len(roles)
    for duty in Duty:
        yield _row(WITHOUT.get(duty, duty.replace("_", " ")), [duty in DUTIES[r] for r in roles])
    yield "| **As a machine, by a scope alone** |" + " |" * len(roles)
    for scope, words in BY_SCOPE.items():
        if scope in SCOPES:
            yield _row(f"{words}: `{scope}`", [role == Role.CLIENT for role in roles])


def _row(words: str, held: list[bool]) -> str:
    return f"| {words} | " + " | ".join("yes" if each else "" for each in held) + " |"


if __name__ == "__main__":
    print(table(), end="")
