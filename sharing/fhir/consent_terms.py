"""A Consent that was sent, read back to what the consent desk records.

Nothing that a partner says is left out: what can't be kept as it was said is refused whole. A
consent without `provision.action` (as IHE PCF has it) permits to view images, or denies all.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sharing.consent.rules import (
    Decision,
    Force,
    GranteeKind,
    Performer,
    Verification,
)
from sharing.consent.services import Said, Whom
from sharing.consent.texts import published
from sharing.dicom.regions import BodyRegion
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.kernel.sensitivity import SYSTEM as LABELS
from sharing.kernel.sensitivity import Label
from sharing.tenants.rules import Role
from sharing.tenants.services import find_organization, people_in_sight, teams

from .consents import PARTIES, PERFORMER, PURPOSES, RECIPIENT, SCOPE, policy_uri
from .errors import ResourceInvalid
from .matching import Asking, Given
from .reader import Reader
from .words import DCM, DICOM_UID, TERMS, Json

_ACTIONS = {  # HL7's consentaction -> how far it goes on our ladder
    "access": Action.IMAGES,
    "use": Action.DOWNLOAD,
    "disclose": Action.RESHARE,
}
_WITNESSED = "Spoken, witnessed by "


@dataclass
class Read:
    """What a Consent resource says."""

    status: str
    patient: str
    said: Said


@dataclass
class _Terms:
    """What a provision says, as it is read."""

    asking: Asking
    named: list[Whom] = field(default_factory=list)
    performing: set[str] = field(default_factory=set)


def read_consent(asking: Asking, body: Json) -> Read:
    """Raises ResourceInvalid, and Absent for an organization or person that is not there."""
    if _has_empty(body):
        raise ResourceInvalid()
    made = Reader(body)
    made.skip("resourceType", "meta", "text", "language", "identifier", "category")
    status, patient = made.text("status"), _reference(made.one("patient"), "Patient")
    scope = made.one("scope")
    if scope is None or SCOPE[:2] not in scope.codings():
        raise ResourceInvalid()
    _own_organization(asking, made)
    told = _speaker(asking, made, patient) | _evidence(made) | _shown(asking, made)
    told["verified_at"] = _verified(asking, made)
    force = _force(asking, made)
    provision = made.one("provision")
    if provision is None:
        raise ResourceInvalid()
    terms = _provision(asking, provision)
    made.done()
    return Read(status, patient, Said(**(told | terms), force=force))


def _has_empty(value: Any) -> bool:
    """JSON of FHIR has no empty values: a limit without words would be read as no limit."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or value in ("", [], {}) or any(map(_has_empty, inside))


def _own_organization(asking: Asking, made: Reader) -> None:
    for each in made.many("organization"):
        if _reference(each, "Organization") != asking.actor.organization_code:
            raise ResourceInvalid()


def _verified(asking: Asking, made: Reader) -> datetime | None:
    at = made.moment("dateTime")
    if at is not None and at > asking.at:
        raise ResourceInvalid()
    return at


def _speaker(asking: Asking, made: Reader, patient: str) -> dict[str, Any]:
    """The patient, or one who speaks for them, by name."""
    found = list(made.many("performer"))
    if len(found) > 1:
        raise ResourceInvalid()
    if not found or "reference" in found[0].element:
        if found and _reference(found[0], "Patient") != patient:
            raise ResourceInvalid()
        return {"performer": Performer.SELF}
    system, value = _identifier(found[0])
    name = found[0].text("display", most=120).strip()
    found[0].skip("type")
    found[0].done()
    if system != f"{asking.origin}/performers" or not name:
        raise ResourceInvalid()
    return {"performer": _of(Performer, value), "performer_name": name}


def _evidence(made: Reader) -> dict[str, Any]:
    """The signed form as data, or the witness of a spoken word."""
    source = made.one("sourceAttachment")
    if source is None:
        return {"verification": Verification.PAPER}
    data, title = source.data("data"), source.text("title")
    source.skip("contentType", "language", "creation", "size")
    source.done()
    if data:
        return {"verification": Verification.PAPER, "evidence": io.BytesIO(data)}
    if title.startswith(_WITNESSED):
        return {
            "verification": Verification.VERBAL,
            "witness": title.removeprefix(_WITNESSED).strip()[:120],
        }
    return {"verification": Verification.PAPER}


def _shown(asking: Asking, made: Reader) -> dict[str, Any]:
    """Which text was shown: one that we published, by its name, or the organization's own form."""
    said = list(made.many("policy"))
    if len(said) > 1:
        raise ResourceInvalid()
    return {"shown": _name_of_text(asking, said[0]) if said else ""}


def _name_of_text(asking: Asking, made: Reader) -> str:
    base, uri = policy_uri(asking, "-").removesuffix("-"), made.text("uri")
    made.done()
    name = uri.removeprefix(base)
    if name == "own-form":
        return ""
    if not uri.startswith(base) or f"{name}.en.toml" not in published():
        raise ResourceInvalid()
    return name


def _force(asking: Asking, made: Reader) -> Force:
    said = list(made.many("modifierExtension"))
    if len(said) > 1:
        raise ResourceInvalid()
    for each in said:
        if each.text("url") != f"{asking.origin}/fhir/StructureDefinition/consent-force":
            raise ResourceInvalid()
        value = each.text("valueCode")
        each.done()
        return Force(_of(Force, value))
    return Force.ORDINARY


def _provision(asking: Asking, made: Reader) -> dict[str, Any]:
    decision = _of(Decision, made.text("type"))
    period, data_period = made.one("period"), made.one("dataPeriod")
    terms = _actors(asking, made)
    found = {
        "decision": decision,
        "starts_at": max(asking.at, (period and period.moment("start")) or asking.at),
        "ends_at": period.moment("end", end=True) if period else None,
        "data_from": data_period.day("start") if data_period else None,
        "data_until": data_period.day("end") if data_period else None,
        "others": tuple(terms.named),
        "performing_organizations": frozenset(terms.performing),
        "actions": _actions(asking, made, decision),
        "purposes": frozenset(_purpose(each) for each in made.many("purpose")),
        "labels": frozenset(_label(each) for each in made.many("securityLabel")),
        "excepted": tuple(_excepted(asking, made, decision)),
        **_limits(asking, made),
        **_obligations(asking, made),
    }
    for each in (period, data_period, made):
        if each is not None:
            each.done()
    return found


def _actors(asking: Asking, made: Reader) -> _Terms:
    terms = _Terms(asking)
    for each in made.many("actor"):
        role, who = each.one("role"), each.one("reference")
        each.done()
        if role is None or who is None:
            raise ResourceInvalid()
        codes = {code for system, code in role.codings() if system == PARTIES}
        if codes == {PERFORMER}:
            terms.performing.add(find_organization(_reference(who, "Organization")).code)
        elif codes == {RECIPIENT}:
            terms.named.append(_whom(asking, who))
        else:
            raise ResourceInvalid()
    return terms


def _whom(asking: Asking, who: Reader) -> Whom:
    who.skip("display", "type")
    if "reference" not in who.element:
        return _by_name(asking, *_identifier(who))
    target = Given(who.text("reference"))
    who.done()
    if organization := _target(target, "Organization"):
        return Whom(GranteeKind.ORGANIZATION, organization=find_organization(organization))
    person = _target(target, "Practitioner")
    row = people_in_sight(asking.actor).filter(user__public_id=person).first() if person else None
    if row is None:
        raise ResourceInvalid()
    return Whom(GranteeKind.PRACTITIONER, user=row.user)


def _by_name(asking: Asking, system: str, value: str) -> Whom:
    """Teams, roles and the rest, by the names that we give them."""
    if system == f"{asking.origin}/teams":
        team = teams().filter(public_id=value).first()
        if team is None:
            raise ResourceInvalid()
        kind = GranteeKind.PROJECT if team.kind == "project" else GranteeKind.TEAM
        return Whom(kind, team=team)
    if system == f"{asking.origin}/roles":
        role, _, code = value.partition("@")
        organization = find_organization(code) if code else None
        return Whom(GranteeKind.ROLE, organization=organization, role=_of(Role, role))
    kinds = (GranteeKind.NAMED_BY_CUSTODIAN, GranteeKind.LINK, GranteeKind.EVERYONE)
    kind = _of(GranteeKind, value)
    if system != f"{asking.origin}/grantees" or kind not in kinds:
        raise ResourceInvalid()
    return Whom(kind)


def _excepted(asking: Asking, made: Reader, decision: Decision) -> Iterator[Whom]:
    """A provision inside: whom a refusal leaves out."""
    for each in made.many("provision"):
        if each.text("type") != "permit" or decision != Decision.DENY:
            raise ResourceInvalid()
        inner = _actors(asking, each)
        each.done()
        if inner.performing:
            raise ResourceInvalid()
        yield from inner.named


def _actions(asking: Asking, made: Reader, decision: Decision) -> frozenset[Action]:
    """Each action by our own code, or a step of the ladder by HL7's."""
    found: set[Action] = set()
    for each in made.many("action"):
        system, code = _code_of(each)
        if system == f"{asking.origin}/actions":
            found.add(_of(Action, code))
        elif system == f"{TERMS}/consentaction" and code in _ACTIONS:
            found.update(_ACTIONS[code].ladder)
        else:
            raise ResourceInvalid()
    usual = Action.IMAGES if decision == Decision.PERMIT else Action.AI
    return frozenset(found or usual.ladder)


def _code_of(made: Reader) -> tuple[str, str]:
    """The one code of a concept: words alone limit nothing, and of two codes which is meant?"""
    found = made.codings()
    if len(found) != 1:
        raise ResourceInvalid()
    return found[0]


def _purpose(made: Reader) -> Purpose:
    system, code = made.coding()
    if system != PURPOSES:
        raise ResourceInvalid()
    return _of(Purpose, code)


def _label(made: Reader) -> str:
    system, code = made.coding()
    if system != LABELS:
        raise ResourceInvalid()
    return str(_of(Label, code).value)


def _limits(asking: Asking, made: Reader) -> dict[str, Any]:
    kinds: set[str] = set()
    regions: set[str] = set()
    for each in made.many("code"):
        system, code = _code_of(each)
        if system == DCM and code.isalnum() and len(code) <= 16:
            kinds.add(code)
        elif system == f"{asking.origin}/body-regions":
            regions.add(_of(BodyRegion, code).value)
        else:
            raise ResourceInvalid()
    studies, series = _data(made)
    return {
        "modalities": frozenset(kinds),
        "body_regions": frozenset(regions),
        "studies": frozenset(studies),
        "series": frozenset(series),
    }


def _data(made: Reader) -> tuple[set[str], set[str]]:
    found: dict[str, set[str]] = {"Study Instance UID": set(), "Series Instance UID": set()}
    for each in made.many("data"):
        what = each.one("reference")
        if what is None or each.text("meaning") != "instance":
            raise ResourceInvalid()
        each.done()
        what.skip("type", "display")
        named = what.one("identifier")
        what.done()
        kind = named.one("type") if named else None
        words = kind.text("text") if kind else "Study Instance UID"
        if named is None or words not in found or named.text("system") != DICOM_UID:
            raise ResourceInvalid()
        found[words].add(named.text("value", most=72).removeprefix("urn:oid:"))
        named.done()
    return found["Study Instance UID"], found["Series Instance UID"]


def _obligations(asking: Asking, made: Reader) -> dict[str, Any]:
    base = f"{asking.origin}/fhir/StructureDefinition"
    found: set[Obligation] = set()
    uses: int | None = None
    for each in made.many("modifierExtension"):
        url = each.text("url")
        if url == f"{base}/consent-obligation":
            found.add(_of(Obligation, each.text("valueCode")))
        elif url == f"{base}/consent-uses" and uses is None:
            uses = each.number("valuePositiveInt")
        else:
            raise ResourceInvalid()
        each.done()
    return {"obligations": frozenset(found), "maximum_uses": uses}


def _identifier(made: Reader) -> tuple[str, str]:
    named = made.one("identifier")
    if named is None:
        raise ResourceInvalid()
    found = named.text("system"), named.text("value")
    named.done()
    return found


def _reference(made: Reader | None, kind: str) -> str:
    """The name of ours in a literal reference to that kind."""
    if made is None:
        raise ResourceInvalid()
    found = _target(Given(made.text("reference")), kind)
    made.skip("type", "display", "identifier")
    made.done()
    if not found:
        raise ResourceInvalid()
    return found


def _target(given: Given, kind: str) -> str:
    return given.target(kind) if f"{kind}/" in given.text else ""


def _of(words: Any, value: str) -> Any:
    """The word of that vocabulary. Raises ResourceInvalid."""
    try:
        return words(value)
    except ValueError:
        raise ResourceInvalid() from None
