"""Consents of the own patients as FHIR Consent, in the shape of IHE PCF.

PCF's profiles know no `provision.action` and no `code`; ours say them, because a permit to view is
no permit to download. `consent_terms` reads the same shape back.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from sharing.archive.services.finding import find_studies
from sharing.consent.rules import ConsentState, Decision, Force, GranteeKind, Performer
from sharing.consent.services import consents_standing, said_by
from sharing.kernel.sensitivity import SYSTEM as LABELS
from sharing.kernel.sensitivity import Label
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Duty

from .directory import organization_ref, practitioner_ref
from .kinds import Include, Kind, Rows, Sort, register
from .matching import (
    EVERYTHING,
    NOTHING,
    Asking,
    Given,
    Match,
    Param,
    inside,
    moment,
    period,
    ref,
    token,
    unheld,
)
from .patients import patient_ref
from .words import (
    DCM,
    LOINC,
    TERMS,
    Json,
    coding,
    concept,
    instant,
    precise,
    reference,
    text_of,
    told,
    uid_identifier,
)

READERS = (Duty.RECORD_CONSENT, Duty.SHARE, Duty.READ_LOG)
"""Whose work needs to know what the patients of their own organization said."""
PURPOSES, PARTIES = f"{TERMS}/v3-ActReason", f"{TERMS}/v3-ParticipationType"
CATEGORY = (LOINC, "59284-0", "Patient Consent")
SCOPE = (f"{TERMS}/consentscope", "patient-privacy", "Privacy Consent")
RECIPIENT, PERFORMER = "IRCP", "PRF"
_STATUS = {
    ConsentState.ACTIVE: "active",
    ConsentState.DRAFT: "draft",
    ConsentState.ENTERED_IN_ERROR: "entered-in-error",
}


def stands(row: Any, at: datetime) -> bool:
    """Whether the version speaks at that moment, or will when its time comes."""
    ends = [each for each in (row.ends_at, row.lapses_at) if each]
    return bool(row.state == ConsentState.ACTIVE and all(end > at for end in ends))


def version_of(row: Any, at: datetime) -> str:
    """`2` while it stands, `2.revoked` after: what a name stands for never changes."""
    if stands(row, at) or row.state == ConsentState.SUPERSEDED:
        return str(row.version)
    return f"{row.version}.{_end_of(row, at)}"


def _end_of(row: Any, at: datetime) -> str:
    over = row.ends_at is not None and row.ends_at <= at
    state = ConsentState.EXPIRED if over and row.state == ConsentState.ACTIVE else row.state
    lapsed = state == ConsentState.ACTIVE
    return str(ConsentState.NEEDS_REAFFIRMATION if lapsed else state).replace("_", "-")


def changed_at(row: Any, at: datetime) -> datetime:
    """When it last became another."""
    ends = [each for each in (row.ended_at, row.ends_at, row.lapses_at) if each and each <= at]
    return min(ends, default=row.recorded_at)


def _rows(asking: Asking) -> Rows:
    if not any(asking.actor.may(duty) for duty in READERS):
        raise NotAllowed()
    return consents_standing(asking.actor)


def _told(asking: Asking, rows: Sequence[Any]) -> list[Json]:
    return [consent_of(asking, row) for row in rows]


def consent_of(asking: Asking, row: Any, *, as_said: bool = False) -> Json:
    """One version as it is now; `as_said`: as it was when it began."""
    said, at = said_by(row), row.recorded_at if as_said else asking.at
    ended = not as_said and not stands(row, at)
    status = _STATUS.get(ConsentState(row.state), "inactive") if ended else "active"
    version = str(row.version) if as_said else version_of(row, at)
    changed = row.recorded_at if as_said else changed_at(row, at)
    return told(
        {
            "resourceType": "Consent",
            "id": row.chain.replace("_", "."),
            "meta": {"versionId": version, "lastUpdated": instant(changed)},
            "modifierExtension": _force(asking, said.force),
            "identifier": [_number(asking, row)],
            "status": "inactive" if ended and status == "active" else status,
            "scope": concept(*SCOPE),
            "category": [concept(*CATEGORY)],
            "patient": patient_ref(row.patient),
            "dateTime": instant(row.recorded_at),
            "performer": [_performer(asking, row)],
            "organization": [organization_ref(row.custodian)],
            "sourceAttachment": {"title": _source(row)},
            "policy": [{"uri": policy_uri(asking, row.shown)}],
            "provision": _provision(asking, said),
        }
    )


def _number(asking: Asking, row: Any) -> Json:
    system = f"{asking.origin}/organizations/{row.custodian.code}/consents"
    return {"system": system, "value": row.reference}


def _performer(asking: Asking, row: Any) -> Json:
    if row.performer == Performer.SELF:
        return patient_ref(row.patient)
    who = {"system": f"{asking.origin}/performers", "value": row.performer}
    name = text_of(row.performer_name) or row.performer
    return {"type": "RelatedPerson", "identifier": who, "display": name}


def _source(row: Any) -> str:
    how = {"verbal": f"Spoken, witnessed by {text_of(row.witness)}", "qr": "Signed on a phone"}
    return how.get(row.verification, "Signed form")


def policy_uri(asking: Asking, shown: str) -> str:
    """The text that was shown, by name and version."""
    return f"{asking.origin}/consent-texts/{shown or 'own-form'}"


def _force(asking: Asking, force: Force) -> list[Json]:
    """How far a refusal goes: a reader that doesn't know this must not act on it."""
    url = f"{asking.origin}/fhir/StructureDefinition/consent-force"
    return [] if force == Force.ORDINARY else [{"url": url, "valueCode": force.value}]


def _provision(asking: Asking, said: Any) -> Json:
    other = "permit" if said.decision == Decision.DENY else "deny"
    actors = [_actor(asking, whom) for whom in said.named]
    actors += [_performing(code) for code in sorted(said.performing_organizations)]
    excepted = [_actor(asking, whom) for whom in said.excepted]
    return told(
        {
            "modifierExtension": _obligations(asking, said),
            "type": said.decision.value,
            "period": told(
                {
                    "start": precise(said.starts_at),
                    "end": precise(said.ends_at) if said.ends_at else "",
                }
            ),
            "actor": actors,
            "action": [_action(asking, each.value) for each in sorted(said.actions)],
            "securityLabel": [_label(each) for each in sorted(said.labels)],
            "purpose": [coding(PURPOSES, each.value) for each in sorted(said.purposes)],
            "code": _codes(asking, said),
            "dataPeriod": told(
                {
                    "start": said.data_from.isoformat() if said.data_from else "",
                    "end": said.data_until.isoformat() if said.data_until else "",
                }
            ),
            "data": _data(said),
            "provision": [{"type": other, "actor": excepted}] if excepted else [],
        }
    )


def _obligations(asking: Asking, said: Any) -> list[Json]:
    base = f"{asking.origin}/fhir/StructureDefinition"
    found: list[Json] = [
        {"url": f"{base}/consent-obligation", "valueCode": each.value}
        for each in sorted(said.obligations)
    ]
    if said.maximum_uses:
        found.append({"url": f"{base}/consent-uses", "valuePositiveInt": said.maximum_uses})
    return found


def _actor(asking: Asking, whom: Any) -> Json:
    return {"role": concept(PARTIES, RECIPIENT), "reference": _whom(asking, whom)}


def _whom(asking: Asking, whom: Any) -> Json:
    """Organizations and people are resources; teams, roles and the rest have names of ours."""
    if whom.kind == GranteeKind.ORGANIZATION:
        return organization_ref(whom.organization)
    if whom.kind == GranteeKind.PRACTITIONER:
        return practitioner_ref(whom.user)
    if whom.team is not None:
        system, value, words = "teams", whom.team.public_id, whom.team.name
    elif whom.kind == GranteeKind.ROLE:
        at = f"@{whom.organization.code}" if whom.organization else ""
        system, value, words = "roles", f"{whom.role}{at}", whom.role.words
    else:
        system, value, words = "grantees", whom.kind.value, whom.kind.replace("_", " ")
    named = {"system": f"{asking.origin}/{system}", "value": value}
    return {"identifier": named, "display": text_of(words)}


def _performing(code: str) -> Json:
    return {"role": concept(PARTIES, PERFORMER), "reference": reference("Organization", code)}


def _action(asking: Asking, action: str) -> Json:
    return concept(f"{asking.origin}/actions", action)


def _label(value: str) -> Json:
    known = {label.value: label.display for label in Label}
    return coding(LABELS, value, known.get(value, ""))


def _codes(asking: Asking, said: Any) -> list[Json]:
    kinds = [concept(DCM, code) for code in sorted(said.modalities)]
    regions = [concept(f"{asking.origin}/body-regions", each) for each in sorted(said.body_regions)]
    return kinds + regions


def _data(said: Any) -> list[Json]:
    kinds = (("Study Instance UID", said.studies), ("Series Instance UID", said.series))
    return [
        {
            "meaning": "instance",
            "reference": {
                "type": "ImagingStudy",
                "identifier": {"type": {"text": kind}} | uid_identifier(uid),
            },
        }
        for kind, uids in kinds
        for uid in sorted(uids)
    ]


# --- search ---------------------------------------------------------------------------------------
def _term(axis: str, *systems: str) -> Match:
    def match(asking: Asking, given: Given) -> Q:
        system, code = given.token()
        known = system is None or system in systems or system.startswith(f"{asking.origin}/")
        said = {"terms__axis": axis, "terms__value": code}
        return inside(_rows(asking), **said) if known else NOTHING

    return match


def _grantee(asking: Asking, given: Given) -> Q:
    organization, person = given.target("Organization"), given.target("Practitioner")
    found = NOTHING
    if organization:
        found |= inside(_rows(asking), grantees__organization__code=organization)
    if person:
        found |= inside(_rows(asking), grantees__user__public_id=person)
    return found


def _consentor(asking: Asking, given: Given) -> Q:
    name = given.target("Patient")
    return Q(patient__public_id=name, performer=Performer.SELF) if name else NOTHING


def _status(asking: Asking, given: Given) -> Q:
    over = Q(ends_at__lte=asking.at) | Q(lapses_at__lte=asking.at)
    active, error = Q(state=ConsentState.ACTIVE), Q(state=ConsentState.ENTERED_IN_ERROR)
    known = {
        "active": active & ~over,
        "inactive": ~error & (~active | over),
        "entered-in-error": error,
    }
    return known.get(given.token()[1], NOTHING)


def _data_of(asking: Asking, given: Given) -> Q:
    name = given.target("ImagingStudy")
    seen = find_studies(asking.actor, at=asking.at).filter(public_id=name).order_by()
    said = {"terms__axis": "study", "terms__value__in": seen.values("study_uid")}
    return inside(_rows(asking), **said) if name else NOTHING


def _is(code: str) -> Match:
    return lambda asking, given: EVERYTHING if given.token()[1] == code else NOTHING


def _by_number(asking: Asking, given: Given) -> Q:
    number = given.token()[1].removeprefix("C-")
    return Q(number=number) if number.isascii() and number.isdecimal() else NOTHING


CONSENT = register(
    Kind(
        name="Consent",
        rows=_rows,
        told=_told,
        key="chain",
        params={
            "action": token(_term("action")),
            "actor": Param("reference", _grantee, modifiers=frozenset({"Organization"})),
            "category": token(_is(CATEGORY[1])),
            "consentor": Param("reference", _consentor, present=Q(performer=Performer.SELF)),
            "data": Param("reference", _data_of),
            "date": moment("recorded_at"),
            "identifier": token(_by_number),
            "organization": ref("Organization", "custodian", "code"),
            "patient": ref("Patient", "patient", "public_id"),
            "period": period("starts_at", "ends_at"),
            "purpose": token(_term("purpose", PURPOSES)),
            "scope": token(_is(SCOPE[1])),
            "security-label": token(_term("label", LABELS)),
            "source-reference": unheld("reference"),
            "status": token(_status),
        },
        summary=(
            "meta", "identifier", "status", "scope", "category", "patient", "dateTime",
            "organization", "source", "modifierExtension", "provision",
        ),
        required=("status", "scope", "category", "policy"),
        includes={
            "patient": Include("Patient", lambda row: [row.patient.public_id]),
            "organization": Include("Organization", lambda row: [row.custodian.code]),
        },
        default_sort=Sort("recorded_at", falling=True),
        written=("create", "update", "history"),
        versioning="versioned-update",
        documentation="What patients of the own organization said, for those who record consents, "
        "share, or read the log. A change is a new version; status inactive withdraws it for good.",
    )
)  # fmt: skip
TYPES = ("Consent",)
