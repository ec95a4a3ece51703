"""`manage.py webhook create riverside --as ines@riverside.example --set url=https://... kinds=...`

Webhooks of an organization. A secret is printed once.
"""

from typing import Any

from sharing.notify import hooks
from sharing.office.management.steps import Said, Steps


def _list(said: Said) -> str:
    rows = hooks.own_webhooks(said.by)
    return "\n".join(f"{row.public_id}\t{row.url}\t{' '.join(row.kinds)}" for row in rows)


def _create(said: Said) -> str:
    made = hooks.create_webhook(
        url=said["url"], kinds=said.words("kinds"), by=said.by, at=said.at,
        names_studies=said.get("names_studies") == "yes",
    )  # fmt: skip
    return f"{made.webhook.public_id}\t{made.secret}"


def _change(said: Said) -> str:
    changes: dict[str, Any] = {}
    if said.get("url"):
        changes["url"] = said["url"]
    if said.get("kinds"):
        changes["kinds"] = said.words("kinds")
    for name in ("paused", "names_studies"):
        if said.get(name):
            changes[name] = said[name] == "yes"
    hooks.change_webhook(public_id=said["webhook"], by=said.by, at=said.at, **changes)
    return "changed"


def _rotate(said: Said) -> str:
    return hooks.rotate_webhook(public_id=said["webhook"], by=said.by, at=said.at).secret


def _test(said: Said) -> str:
    made = hooks.try_webhook(public_id=said["webhook"], by=said.by, at=said.at)
    return str(made.public_id)


def _again(said: Said) -> str:
    hooks.send_again(
        public_id=said["webhook"], delivery_id=said["delivery"], by=said.by, at=said.at
    )
    return "on its way"


def _end(said: Said) -> str:
    hooks.end_webhook(public_id=said["webhook"], by=said.by, at=said.at)
    return "ended"


class Command(Steps):
    """Lists, creates, changes, rotates, tries, ends."""

    help = "Webhooks of an organization."
    steps = {
        "list": (_list, ""),
        "create": (_create, "url kinds names_studies"),
        "change": (_change, "webhook url kinds paused names_studies"),
        "rotate": (_rotate, "webhook"),
        "test": (_test, "webhook"),
        "again": (_again, "webhook delivery"),
        "end": (_end, "webhook"),
    }
