"""What happened in the demonstration region: studies came, patients spoke, studies were shared."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from django.db import transaction

from sharing.access.services import share
from sharing.archive.rules import Door
from sharing.archive.services.finding import find_studies
from sharing.archive.services.receiving import Incoming, receive
from sharing.audit.rules import SYSTEM
from sharing.consent.rules import Decision, GranteeKind, Verification
from sharing.consent.services import Said, Whom, consents_recorded, record_consent, revoke_consent
from sharing.demo.people import actor
from sharing.demo.phantoms import DemoStudy, studies
from sharing.identity.services import own_patients
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.tenants.services import Role, find_organization

VIEW = frozenset(Action.IMAGES.ladder)
DOWNLOAD = frozenset(Action.DOWNLOAD.ladder)


@dataclass(frozen=True)
class Words:
    """What one patient said to one custodian about one organization; days from the telling."""

    custodian: str
    patient: str
    decision: Decision
    about: str
    days: int
    actions: frozenset[Action] = VIEW
    spoken: bool = False
    withdrawn: bool = False
    research: bool = False
    """Its researchers may have copies that name nobody."""

    @property
    def for_what(self) -> dict[str, Any]:
        """To whom it speaks, and for which purpose."""
        there = find_organization(self.about)
        if not self.research:
            return {"organizations": (there,), "purposes": frozenset({Purpose.TREATMENT})}
        return {
            "others": (Whom(GranteeKind.ROLE, role=Role.RESEARCHER, organization=there),),
            "purposes": frozenset({Purpose.RESEARCH}),
            "obligations": frozenset({Obligation.DEIDENTIFY}),
        }


WORDS = (
    Words("riverside", "Moreau", Decision.PERMIT, "hilltop", 90),
    Words("riverside", "Lin", Decision.PERMIT, "mingde", 200, actions=DOWNLOAD),
    Words("riverside", "Lin", Decision.DENY, "lakeside", 365),
    Words("riverside", "Lin", Decision.PERMIT, "hilltop", 365, actions=DOWNLOAD, research=True),
    Words("riverside", "Schmidt", Decision.PERMIT, "hilltop", 120, withdrawn=True),
    Words("lakeside", "Zhao", Decision.PERMIT, "hilltop", 4, spoken=True),
    Words("lakeside", "Okafor", Decision.PERMIT, "riverside", 60),
    Words("mingde", "Chen", Decision.PERMIT, "hilltop", 120),
    Words("sandbox", "Example", Decision.PERMIT, "hilltop", 365),
)


def load_studies(*, at: datetime, tell: Callable[[str], None]) -> None:
    """Receive every study at its custodian; what is stored already is a duplicate."""
    for study in studies():
        receive(
            organization=find_organization(study.organization_code),
            door=Door.DEMO,
            sender="Demonstration",
            files=_incoming(study),
            by=SYSTEM,
            at=at,
        )
        tell(f"{study.organization_code}: {study.description}")


def _incoming(study: DemoStudy) -> Iterator[Incoming]:
    for number, data in enumerate(study.files, start=1):
        yield Incoming(name=f"{number:04d}.dcm", pieces=[data])


def told() -> bool:
    """Whether the story was told to its end: it is told in one transaction."""
    return consents_recorded(actor("mingde", Role.CLERK)).exists()


@transaction.atomic
def tell_story(*, at: datetime) -> None:
    """Consents, a share inside one of them, and a withdrawal."""
    for words in WORDS:
        _record(words, at)
    _share_with_hilltop(at)


def _record(words: Words, at: datetime) -> None:
    clerk = actor(words.custodian, Role.CLERK)
    patient = own_patients(clerk, query=words.patient).get()
    said = Said(
        decision=words.decision,
        starts_at=at,
        ends_at=at + timedelta(days=words.days),
        actions=words.actions,
        **words.for_what,
        verification=Verification.VERBAL if words.spoken else Verification.PAPER,
        witness="Greta Holm" if words.spoken else "",
        evidence=None if words.spoken else BytesIO(consent_form()),
    )
    consent = record_consent(patient=patient, said=said, by=clerk, at=at)
    if words.withdrawn:
        why = "The patient asked, by telephone."
        revoke_consent(consent=consent, by=clerk, why=why, at=at + timedelta(minutes=40))


def _share_with_hilltop(at: datetime) -> None:
    ada = actor("riverside", Role.RADIOLOGIST)
    of_pat = find_studies(ada, at=at, own=True, query="Moreau")
    share(
        subjects=[study.subject for study in of_pat],
        to=find_organization("hilltop"),
        purpose=Purpose.TREATMENT,
        until=at + timedelta(days=60),
        note="Bleeding in the right basal ganglia; the chest is clear. Please see him on Monday.",
        by=ada,
        at=at + timedelta(minutes=20),
    )


def consent_form() -> bytes:
    """A one-page PDF that stands for the signed form."""
    text = b"BT /F1 14 Tf 72 760 Td (Consent to share images. Demonstration, nobody signed.) Tj ET"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page + b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    return out + head + table + trailer + b"startxref\n%d\n%%%%EOF\n" % len(out)
