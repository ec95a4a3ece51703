"""The common consents, each filled in beforehand: a clerk chooses one and checks it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sharing.consent.rules import Decision
from sharing.kernel.purposes import Action, Purpose

_PERMIT = {"decision": Decision.PERMIT.value, "may": Action.IMAGES.value, "period": "365"}
_DENY = {"decision": Decision.DENY.value, "period": "open"}


@dataclass(frozen=True)
class Template:
    """One common consent: what its button says, and what it fills in."""

    key: str
    word: str
    small: str
    fills: Mapping[str, Any] = field(default_factory=dict)


TEMPLATES = (
    Template(
        "hospital", "This hospital may share", "With those whom it names, one by one",
        _PERMIT | {"named": True},
    ),
    Template("doctor", "My doctor", "One person, chosen below", _PERMIT),
    Template(
        "treating", "All treating doctors", "Of the whole region",
        _PERMIT | {"treating": True},
    ),
    Template(
        "study", "This study only", "The newest; nothing later",
        _PERMIT | {"named": True, "period": "90"},
    ),
    Template(
        "emergency", "Emergencies only", "Nobody outside, unless it is one",
        _DENY | {"everyone": True, "reach": "ordinary"},
    ),
    Template(
        "research", "Research: yes", "Copies without the name",
        _PERMIT | {
            "researchers": True, "purpose": Purpose.RESEARCH.value, "unnamed": True,
            "may": Action.DOWNLOAD.value,
        },
    ),
    Template(
        "no-research", "Research: no", "",
        _DENY | {"everyone": True, "reach": "research"},
    ),
    Template(
        "nobody", "Nobody at all", "Not in an emergency either",
        _DENY | {"reach": "opt_out"},
    ),
    Template(
        "exclusion", "Keep a person away", "Own staff too, always",
        _DENY | {"reach": "exclusion"},
    ),
)  # fmt: skip


def filled(key: str, studies: Sequence[Any]) -> dict[str, Any]:
    """What the template of that key fills in; nothing for another key."""
    found = next((each for each in TEMPLATES if each.key == key), None)
    if found is None:
        return {}
    chosen = {"studies": [studies[0].public_id]} if found.key == "study" and studies else {}
    return {**found.fills, **chosen}
