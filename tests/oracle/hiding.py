"""What others do that is none of the readers' business: Riverside and Brookside are busy."""

from datetime import datetime
from io import BytesIO
from typing import Any

from sharing.access.rules import GlassReason
from sharing.access.services import Emergency, ask_access, break_glass, share
from sharing.archive.models import Study
from sharing.archive.rules import Door
from sharing.archive.services.holding import place_hold
from sharing.archive.services.receiving import Incoming, receive
from sharing.audit.rules import SYSTEM
from sharing.consent.rules import Decision, GranteeKind
from sharing.consent.services import Said, Whom, exclude_person, record_consent
from sharing.identity.services import PatientName
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.tenants.models import Organization
from sharing.tenants.rules import Role
from tests.cast import PDF, make_organization
from tests.oracle import facts, images
from tests.oracle.canaries import Canaries
from tests.oracle.doing import acting, clerk, told
from tests.oracle.region import DAY, add_person

LOOKING = tuple(Action.IMAGES.ladder)


def add_brookside(both: Canaries) -> None:
    """A fourth organization, in both worlds; a physician and a clerk are there."""
    both.homes["brookside"] = make_organization("brookside", "Brookside")
    both.world.organizations["brookside"] = facts.Organization()
    add_person(both, "bea", {"brookside": (Role.PHYSICIAN,)})


def open_some(both: Canaries) -> None:
    """What the readers may see in both worlds: the chest at Hilltop, the knee at Lakeside."""
    both_looking = frozenset(LOOKING)
    say(both, "pat", Whom(GranteeKind.NAMED_BY_CUSTODIAN), both_looking)
    give(both, "chest", both.homes["hilltop"], both.at)
    say(both, "kid", Whom(GranteeKind.ORGANIZATION, organization=both.homes["lakeside"]))
    say(both, "hil", Whom(GranteeKind.ORGANIZATION, organization=both.homes["lakeside"]))
    researchers = Whom(GranteeKind.ROLE, organization=both.homes["hilltop"], role=Role.RESEARCHER)
    copies = {
        "purposes": frozenset({Purpose.RESEARCH}),
        "obligations": frozenset({Obligation.DEIDENTIFY}),
    }
    say(both, "kid", researchers, frozenset(Action.DOWNLOAD.ladder), **copies)


def hide_much(both: Canaries, at: datetime) -> None:
    """Images, patients, consents, shares, requests, emergencies, holds: none of them theirs."""
    for number in range(3):
        more_images(both, "riverside", f"HID{number}", number, at)
        more_images(both, "brookside", f"BRK{number}", number + 5, at)
    more_images(both, "riverside", both.names["pat"][1], 8, at, name=both.names["pat"][0])
    more_images(both, "brookside", both.names["pat"][1], 9, at, name=both.names["pat"][0])
    brookside = both.homes["brookside"]
    for patient in ("pat", "kid"):
        say(both, patient, Whom(GranteeKind.ORGANIZATION, organization=brookside))
    give(both, "chest", brookside, at)
    refused = Whom(GranteeKind.PRACTITIONER, user=both.users["bea"])
    say(both, "pat", refused, decision=Decision.DENY)
    by = clerk(both, "kid")
    pat, kid = both.patients["pat"], both.patients["kid"]
    exclude_person(patient=kid, user=both.users["rory"], told=told(both, "kid"), by=by, at=at)
    bea = acting(both, "bea", "brookside")
    assert pat.birth_date is not None
    ask_access(
        custodian=both.homes["riverside"], identifier=pat.identifier, birth_date=pat.birth_date,
        reason="Second opinion.", by=bea, at=at,
    )  # fmt: skip
    emergency = Emergency(
        PatientName(pat.issuer, pat.identifier, pat.birth_date), GlassReason.LIFE,
        "Unconscious after a fall.", 2, attested=True, proven=True,
    )  # fmt: skip
    break_glass(emergency=emergency, by=bea, at=at)
    olga = acting(both, "olga", "riverside", "HOPERAT")
    place_hold(olga, public_id=both.studies["head"].public_id, reason="Court.", at=at)


def say(
    both: Canaries,
    patient: str,
    whom: Whom,
    actions: frozenset[Action] = frozenset(LOOKING),
    decision: Decision = Decision.PERMIT,
    **more: Any,
) -> None:
    """A consent of that patient's, for treatment unless `more` says otherwise, for a month."""
    values: dict[str, Any] = {"purposes": frozenset({Purpose.TREATMENT})} | more
    said = Said(
        decision=decision, starts_at=both.at, ends_at=both.at + 30 * DAY,
        actions=actions, others=(whom,), evidence=BytesIO(PDF), **values,
    )  # fmt: skip
    by = clerk(both, patient)
    record_consent(patient=both.patients[patient], said=said, by=by, at=both.at)


def give(both: Canaries, study: str, to: Organization, at: datetime) -> None:
    """Ada shares it for ten days."""
    share(
        subjects=[both.fresh(study).subject], to=to, purpose=Purpose.TREATMENT,
        until=at + 10 * DAY, note="As discussed.", by=acting(both, "ada", "riverside"), at=at,
        actions=LOOKING,
    )  # fmt: skip


def more_images(
    both: Canaries, home: str, identifier: str, number: int, at: datetime, name: str = ""
) -> Study:
    """A study more, of a new patient or of one who is known."""
    root = f"2.25.555{number:04d}"
    texts = {
        "PatientName": name or f"Hidden^{identifier}", "PatientID": identifier,
        "PatientBirthDate": "19580503", "StudyInstanceUID": root,
        "SeriesInstanceUID": f"{root}1", "SOPInstanceUID": f"{root}2",
        "StudyDescription": "Hidden", "AccessionNumber": f"H{number}",
    }  # fmt: skip
    raw = images.file(number + 90, texts, modality="CT", body="CHEST", day="20261120")
    receive(
        organization=both.homes[home], door=Door.UPLOAD, sender="test",
        files=[Incoming("hidden.dcm", iter((raw,)))], by=SYSTEM, at=at,
    )  # fmt: skip
    return Study.objects.get(study_uid=root)
