"""`manage.py setting policy riverside --as olga@riverside.example --set policy=deny`

What an organization decides for itself, beside its profile: the stricter rule, how long sessions
last, how people are told, its own sign-in, its picture.
"""

from dataclasses import replace
from typing import Any

from sharing.notify.rules import CHOOSABLE, Way
from sharing.notify.wishes import choose_for_house
from sharing.office.management.steps import Said, Steps, read
from sharing.tenants import services
from sharing.tenants.rules import ImplicitPolicy

SITTING = ("idle_minutes", "shared_minutes", "longest_hours")


def _policy(said: Said) -> str:
    word = said["policy"]
    policy = None if word == "region" else read(ImplicitPolicy, word)
    services.set_organization_policy(policy=policy, by=said.by, at=said.at)
    return "set"


def _sessions(said: Said) -> str:
    changed = {name: read(int, said[name]) for name in SITTING if said.get(name)}
    limits = replace(services.sitting_of(said.by), **changed)
    services.set_sitting(limits=limits, by=said.by, at=said.at)
    return "set"


def _notices(said: Said) -> str:
    ways = {kind: read(Way, said[kind]) for kind in CHOOSABLE if said.get(kind)}
    choose_for_house(ways=ways, by=said.by, at=said.at)
    return "set"


def _of_any_sign_in(said: Said) -> dict[str, Any]:
    roles = "\n".join(pair.replace(":", "=") for pair in said.words("roles"))
    return {
        "groups_in": said.get("groups_in", "groups"),
        "mapping": services.mapping_of(roles),
        "domains": said.words("domains"),
        "trusts_factor": said.get("trusts_factor") == "yes",
        "active": said.get("active", "yes") == "yes",
    }


def _sign_in(said: Said) -> str:
    """The secret is read from a file: a command line is seen by all of a machine."""
    sealed = said.file("secret_file").read_text().strip() if said.get("secret_file") else ""
    services.set_realm(
        said=services.SignIn(
            issuer=said["issuer"], client_id=said["client_id"], secret=sealed,
            **_of_any_sign_in(said),
        ),
        by=said.by, at=said.at,
    )  # fmt: skip
    return "set; new domains wait for the operator"


def _saml(said: Said) -> str:
    metadata = said.file("metadata_file").read_text() if said.get("metadata_file") else ""
    services.set_saml(
        said=services.SamlSignIn(
            metadata=metadata, email_in=said["email_in"], name_in=said.get("name_in"),
            **_of_any_sign_in(said),
        ),
        by=said.by, at=said.at,
    )  # fmt: skip
    return "set; new domains wait for the operator"


def _logo(said: Said) -> str:
    services.set_logo(png=said.file("file").read_bytes(), by=said.by, at=said.at)
    return "set"


class Command(Steps):
    """Sets one of them."""

    help = "What an organization decides for itself."
    steps = {
        "policy": (_policy, "policy"),
        "sessions": (_sessions, " ".join(SITTING)),
        "notices": (_notices, " ".join(CHOOSABLE)),
        "sign-in": (
            _sign_in,
            "issuer client_id secret_file groups_in roles domains trusts_factor active",
        ),
        "saml": (
            _saml,
            "metadata_file email_in name_in groups_in roles domains trusts_factor active",
        ),
        "logo": (_logo, "file"),
    }
