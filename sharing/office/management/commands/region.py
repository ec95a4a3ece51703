"""`manage.py region set --as nora@exchange.example --set policy=deny emergency_hours=2`

What holds in the whole region: the rules on the page Rules, and whose a domain of addresses is.
"""

from dataclasses import asdict, replace
from typing import Any

from django.core.management import CommandError

from sharing.office.management.steps import Said, Steps, read
from sharing.tenants import services
from sharing.tenants.rules import ImplicitPolicy, RegionSettings

RULES = tuple(RegionSettings.__dataclass_fields__)
TRUTH = {"yes": True, "no": False}


def _show(said: Said) -> str:
    services.require(said.by, services.Duty.SET_REGION)
    return "\n".join(f"{name}={_told(value)}" for name, value in asdict(_now()).items())


def _set(said: Said) -> str:
    """What opens studies is named first, and done only where `understood=yes` is said, too."""
    wanted = replace(_now(), **{name: _read(name, said[name]) for name in RULES if said.get(name)})
    opened = _now().widened_by(wanted)
    if opened and said.get("understood") != "yes":
        raise CommandError(f"This opens studies ({', '.join(opened)}): say understood=yes.")
    services.set_region(settings=wanted, by=said.by, at=said.at)
    return "set"


def _domain(said: Said) -> str:
    found = services.domains_waiting(said.by).filter(
        domain=said["domain"], realm__organization__code=said["organization"]
    )
    row = found.first()
    if row is None:
        raise CommandError("Nobody waits for this domain.")
    services.confirm_domain(domain_id=row.pk, by=said.by, at=said.at)
    return "confirmed"


def _now() -> RegionSettings:
    return services.region_settings()


def _read(name: str, text: str) -> Any:
    if name == "policy":
        return read(ImplicitPolicy, text)
    if isinstance(getattr(RegionSettings, name), bool):
        if text not in TRUTH:
            raise CommandError(f"{name} is yes or no.")
        return TRUTH[text]
    return read(int, text)


def _told(value: Any) -> str:
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


class Command(Steps):
    """Shows, sets, confirms."""

    help = "What holds in the whole region."
    region = True
    steps = {
        "show": (_show, ""),
        "set": (_set, " ".join((*RULES, "understood"))),
        "domain": (_domain, "domain organization"),
    }
