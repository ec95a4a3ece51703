"""The desk of the revocation trials, run by `manage.py shell` beside the live portal.

Reads `permit` and `revoke` from its input; answers with the moment of the commit on the clock that
all processes of a machine share (CLOCK_MONOTONIC).
"""

import json
import sys
import time
from datetime import timedelta

from django.utils import timezone

from sharing.archive.models import Study
from sharing.consent.models import Consent
from sharing.consent.rules import Decision, GranteeKind, Verification
from sharing.consent.services import Said, Whom, record_consent, revoke_consent
from sharing.exchange.services import LinkWanted, make_link
from sharing.kernel.purposes import Action, Purpose
from sharing.partners.services import issue_token
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Role
from sharing.tenants.services import Actor, actor_for_session
from tests.cast import PASSWORD, make_organization, make_person


def stage() -> None:
    """Riverside, Hilltop, their people and two tokens; printed as JSON."""
    riverside = make_organization("riverside", "Riverside General Hospital")
    hilltop = make_organization("hilltop", "Hilltop Family Clinic", kind="clinic")
    make_person("Mei Tan", riverside, Role.CLERK)
    make_person("Ada Brandt", riverside, Role.RADIOLOGIST)
    make_person("Ben Hartley", hilltop, Role.PHYSICIAN)
    print(json.dumps({
        "write": _token(riverside, "dicomweb.write"), "read": _token(hilltop, "dicomweb.read"),
        "password": PASSWORD,
    }))  # fmt: skip


def _token(organization: Organization, scope: str) -> str:
    until = timezone.now() + timedelta(days=1)
    return issue_token(
        organization=organization, name="trials", scopes=[scope], at=timezone.now(),
        expires_at=until,
    )  # fmt: skip


def desk(study_uid: str) -> None:
    """Until its input ends."""
    study = Study.objects.with_owners().get(study_uid=study_uid)
    print(json.dumps({"study": study.public_id}), flush=True)
    standing: Consent | None = None
    link: dict[str, str] = {}
    for line in sys.stdin:
        mei, now = _actor("Mei Tan"), timezone.now()
        if line.strip() == "permit":
            standing = record_consent(patient=study.patient, said=_permit(), by=mei, at=now)
            link = _link(study)
        elif standing is not None:
            revoke_consent(consent=standing, by=mei, why="The patient asked.", at=now)
        print(json.dumps({"committed": time.monotonic(), **link}), flush=True)


def _link(study: Study) -> dict[str, str]:
    """A new one: what a patient withdrew stays withdrawn."""
    now = timezone.now()
    wanted = LinkWanted(
        Purpose.TREATMENT, now + timedelta(hours=12), actions=tuple(Action.DOWNLOAD.ladder)
    )
    made = make_link(subjects=[study.subject], wanted=wanted, by=_actor("Ada Brandt"), at=now)
    return {"secret": made.secret, "code": made.code}


def _actor(name: str) -> Actor:
    actor = actor_for_session(User.objects.get(name=name), {}, assured=True)
    assert actor is not None
    return actor


def _permit() -> Said:
    now = timezone.now()
    return Said(
        decision=Decision.PERMIT,
        organizations=(Organization.objects.get(code="hilltop"),),
        others=(Whom(GranteeKind.LINK),),
        starts_at=now,
        ends_at=now + timedelta(days=1),
        purposes=frozenset({Purpose.TREATMENT}),
        actions=frozenset(Action.DOWNLOAD.ladder),
        verification=Verification.VERBAL,
        witness="Olga Weiss",
    )
