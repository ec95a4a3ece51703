"""What was done, as the access log says it. Pure: no request, no query of its own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.urls import reverse

from sharing.archive.rules import Why
from sharing.audit.services import Entry
from sharing.kernel.purposes import Purpose

from . import words
from .wording import capital


@dataclass(frozen=True)
class Doing:
    """One line of an access log, for `access_timeline.html` and the log's table."""

    at: datetime
    who: str
    organization: str
    did: str
    purpose: str
    ground: str
    refused: bool
    count: int
    consent: str = ""
    patient: Any = None
    study: Any = None
    url: str = ""


DEEDS = {  # action in the log -> verb phrase
    "study.discover": "opened the study’s page",
    "study.thumbnail": "saw a small picture",
    "study.report": "read the report",
    "study.images": "viewed images",
    "study.download": "downloaded images",
    "study.send": "sent images to an archive",
    "study.copy_unnamed": "took a copy that names nobody",
    "study.reshare": "asked to share on",
    "study.ai": "had software analyse it",
    "study.receive": "stored images",
    "study.conflict": "sent other content under a known identifier",
    "study.mend": "sent lost images again",
    "study.damage": "found stored images damaged",
    "study.delete": "deleted the study",
    "study.reject": "rejected images",
    "study.supersede": "replaced an image with a newer one",
    "study.take_back": "took back a rejection",
    "study.hold": "put the study on legal hold",
    "study.lift_hold": "lifted a legal hold",
    "study.note": "kept measurements or key images",
    "study.compare": "compared two versions of an image",
    "study.decide_conflict": "decided which version stands",
    "study.hold_back": "sent images whose patient is in doubt",
    "study.trust": "let images stand as their files name the patient",
    "study.give": "gave uploaded images to a patient",
    "study.refuse": "refused uploaded images",
    "study.label": "labelled the study as sensitive",
    "study.lift_label": "took a label off the study",
    "label_rule.make": "made a rule for labels",
    "label_rule.end": "ended a rule for labels",
    "agreement.record": "recorded an agreement between organizations",
    "agreement.end": "ended an agreement between organizations",
    "tie.record": "recorded a referral, a consult or a transfer",
    "tie.end": "ended a referral, a consult or a transfer",
    "study.share": "shared the study",
    "study.unshare": "ended a share",
    "study.renew": "let a share go on",
    "study.recertify": "said that a standing share is still needed",
    "study.ask_renewal": "asked that a share goes on",
    "link.make": "gave a link to the study",
    "link.revoke": "ended a link",
    "link.open": "came in by a link",
    "album.make": "made an album",
    "album.close": "closed an album",
    "album.prolong": "let an album go on longer",
    "album.add_study": "put the study into an album",
    "album.take_out": "took the study out of an album",
    "album.add_member": "let somebody into an album",
    "album.remove_member": "removed somebody from an album",
    "request.ask": "asked for access to a patient’s studies",
    "request.approve": "answered a request by a share",
    "request.refuse": "refused a request for access",
    "request.withdraw": "withdrew a request for access",
    "request.expire": "closed a request that nobody answered",
    "access.guess": "asked for many studies that were not found",
    "glass.break": "used emergency access",
    "glass.end": "ended their emergency access",
    "glass.cut": "cut an emergency access",
    "glass.expire": "closed an emergency access at its end",
    "glass.review": "reviewed an emergency access",
    "consent.record": "recorded a consent",
    "consent.amend": "recorded a new version of a consent",
    "consent.revoke": "recorded that the consent was revoked",
    "consent.mark_error": "marked a consent as entered in error",
    "consent.use": "used a consent that is for so many uses, or of which the patient is told",
    "consent.tell_patient": "told the patient of a use",
    "consent.lapse": "set a consent aside until the patient says it again",
    "consent.read_statement": "read the record of what was shown",
    "phone.issue": "gave a code for the patient’s phone",
    "phone.cancel": "cancelled a code for the patient’s phone",
    "phone.open": "opened the code on the phone",
    "phone.fail": "tried a code for a phone with wrong proofs",
    "phone.sign": "signed on the phone",
    "phone.refuse": "said no on the phone",
    "phone.withdraw": "withdrew the consent on the phone",
    "phone.read_statement": "took a copy of what was signed",
    "recall.ask": "asked what became of copies that had left",
    "recall.answer": "said what became of copies",
    "proxy.name": "recorded who speaks for a patient",
    "listing.say": "said what the directory shows of them",
    "team.found": "made a team",
    "team.end": "ended a team",
    "team.join": "put a person into a team",
    "team.leave": "took a person out of a team",
    "region.set": "decided what holds in the region",
    "region.try_again": "had jobs tried again that were given up",
    "consent.read_evidence": "read the signed form",
    "member.invite": "invited a person",
    "member.add": "gave a person a role",
    "member.end": "ended a person’s role",
    "member.withdraw": "withdrew an invitation",
    "member.leave": "sent a person on leave",
    "member.return": "brought a person back from leave",
    "member.lapse": "let roles rest that nobody had confirmed",
    "member.confirm": "confirmed that a person still needs their roles",
    "member.deactivate": "deactivated a person",
    "member.provision": "named a person in the organization’s directory",
    "member.licence": "recorded a person’s licence",
    "member.forget_factor": "reset a person’s second factor",
    "member.check_licence": "checked a person’s licence",
    "support.ask": "asked to look at the organization’s studies, for support",
    "support.approve": "let somebody of the operator in, for support",
    "support.refuse": "refused a support session",
    "support.withdraw": "withdrew a request for a support session",
    "support.end": "ended a support session",
    "sign.out_everywhere": "signed out everywhere",
    "token.issue": "issued a token",
    "token.revoke": "revoked a token",
    "code.reuse": "brought a code a second time, which ended all its tokens",
    "client.create": "made a client",
    "client.rotate": "changed a client’s secret or keys",
    "client.end": "ended a client",
    "client.allow": "let an app act for them",
    "client.refuse": "could not prove who it is",
    "webhook.create": "set up a webhook",
    "webhook.change": "changed a webhook",
    "webhook.rotate": "changed a webhook’s secret",
    "webhook.end": "ended a webhook",
    "webhook.send_again": "sent a webhook’s event again",
    "organization.apply": "applied for the organization",
    "organization.verify": "verified the organization’s address",
    "organization.ask": "asked the organization a question",
    "organization.answer": "answered the operator’s question",
    "organization.approve": "approved the organization",
    "organization.set_profile": "changed what the organization says of itself",
    "organization.set_devices": "changed the organization’s devices",
    "organization.set_quota": "set how much the organization may hold",
    "organization.set_logo": "changed the organization’s picture",
    "organization.export": "exported everything of the organization",
    "organization.ask_close": "asked that the organization is closed",
    "organization.confirm_close": "confirmed that the organization is closed",
    "organization.test_link": "tested the organization’s connection",
    "organization.check": "accepted the organization’s documents",
    "organization.sign": "signed the region’s terms",
    "organization.test": "tested the connection, or went without",
    "organization.activate": "let the organization begin",
    "organization.suspend": "suspended the organization",
    "organization.resume": "let the organization go on",
    "organization.leave": "began the organization’s leaving",
    "organization.stay": "took back that the organization leaves",
    "organization.close": "closed the organization",
    "organization.refuse": "refused the organization",
    "organization.set_policy": "decided what holds where no consent is on file",
    "organization.second_factor": "set whether a second factor is asked for",
    "organization.sign_in": "set where the organization’s people sign in",
    "organization.set_notices": "set how people are told by e-mail",
    "organization.sessions": "set how long sessions last",
    "organization.domain": "confirmed whose a domain of addresses is",
    "password.change": "changed the password",
    "log.accounting": "prepared an accounting of disclosures",
    "log.export": "took the access log out",
    "log.find_copy": "found out whose a copy without names is",
    "audit.witness": "signed the head of the log as a witness",
    "audit.expire": "let the oldest lines of the log go",
}


def doing(
    entry: Entry,
    studies: Mapping[str, Any] | None = None,
    patients: Mapping[str, Any] | None = None,
) -> Doing:
    """One line of the access log, in words; studies and patients by their public ids."""
    study = (studies or {}).get(entry.study)
    return Doing(
        at=entry.at,
        who=entry.who or "Somebody without a name",
        organization=entry.organization,
        did=_deed(entry),
        purpose=_purpose_word(entry.purpose),
        ground=capital(entry.reason),
        refused=not entry.permitted,
        count=entry.count,
        consent=entry.consent or str(entry.detail.get("consent", "")),
        patient=study.patient if study else (patients or {}).get(entry.patient),
        study=study,
        url=reverse("web:study-log", args=[study.public_id]) if study else "",
    )


def from_elsewhere(entry: Entry, here: str) -> bool:
    """Whether somebody of another organization did it; the portal itself is of none."""
    return entry.organization not in {"", here}


def told_to_patient(entry: Entry, studies: Mapping[str, Any]) -> Doing:
    """The same line as its patient reads it."""
    line = doing(entry, studies)
    return replace(line, ground=to_the_patient(line.ground))


def to_the_patient(ground: str) -> str:
    """`You permitted ...` for `Patient permitted ...`."""
    return re.sub("^Patient (?=permitted|asked)", "You ", ground)


def _deed(entry: Entry) -> str:
    action = entry.action.removesuffix(".refused")
    did = DEEDS.get(action, action.replace(".", " ").replace("_", " "))
    count = entry.detail.get("instances")
    if action == "study.receive" and isinstance(count, int):
        return f"stored {words.span(count, 'image')}"
    why = entry.detail.get("why")
    if why in set(Why):
        did = f"{did}: {Why(why).words[:1].lower()}{Why(why).words[1:]}"
    return did if entry.permitted else f"tried: {did}"


def _purpose_word(purpose: str) -> str:
    known = {each.value: each.words for each in Purpose}
    return known.get(purpose, "")
