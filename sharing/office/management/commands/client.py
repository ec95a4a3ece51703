"""`manage.py client create riverside --as ines@riverside.example --set name=RIS scopes=...`

API clients of an organization. A secret is printed once and kept nowhere.
"""

import json
from typing import Any

from django.core.management import CommandError

from sharing.kernel.purposes import Purpose
from sharing.office.management.steps import Said, Steps, read
from sharing.partners import services
from sharing.partners.services import Made, Wish


def _list(said: Said) -> str:
    rows = services.own_clients(said.by)
    return "\n".join(f"{row.client_id}\t{row.name}\t{' '.join(row.scopes)}" for row in rows)


def _create(said: Said) -> str:
    wish = Wish(
        name=said["name"], scopes=said.words("scopes"), app=said.get("app") == "yes",
        public=said.get("public") == "yes", redirects=said.words("redirects"),
        purpose=read(Purpose, said.get("purpose", "TREAT")), jwks=_keys(said),
        jwks_url=said.get("jwks_url"),
    )  # fmt: skip
    return _told(services.create_client(wish=wish, by=said.by, at=said.at))


def _rotate(said: Said) -> str:
    at_once = said.get("at_once") == "yes"
    made = services.rotate_secret(client_id=said["client"], at_once=at_once, by=said.by, at=said.at)
    return _told(made)


def _change_keys(said: Said) -> str:
    services.change_keys(
        client_id=said["client"], jwks=_keys(said), jwks_url=said.get("jwks_url"), by=said.by,
        at=said.at,
    )  # fmt: skip
    return "changed"


def _end(said: Said) -> str:
    services.end_client(client_id=said["client"], by=said.by, at=said.at)
    return "ended"


def _told(made: Made) -> str:
    return f"{made.client.client_id}\t{made.secret}".rstrip()


def _keys(said: Said) -> Any:
    if not said.get("jwks_file"):
        return None
    try:
        return json.loads(said.file("jwks_file").read_text())
    except ValueError:
        raise CommandError("The file holds no JSON.") from None


class Command(Steps):
    """Lists, creates, rotates, ends."""

    help = "API clients of an organization."
    steps = {
        "list": (_list, ""),
        "create": (_create, "name scopes app public redirects purpose jwks_file jwks_url"),
        "rotate": (_rotate, "client at_once"),
        "keys": (_change_keys, "client jwks_file jwks_url"),
        "end": (_end, "client"),
    }
