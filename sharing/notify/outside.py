"""After a permit was narrowed: which of the copies that left by it the newest version still covers.

What counts is what the patient says now of whom, for what, of which studies: not whether the copy
could be taken again today, because shares end and people leave.
"""

from datetime import datetime

from sharing.access.rules import Ask, ConsentFacts, way_of
from sharing.access.services import consent_facts
from sharing.archive.services.past import subject_at
from sharing.audit.rules import What
from sharing.audit.services import Copy
from sharing.consent.models import Consent
from sharing.consent.rules import ConsentState, Decision
from sharing.kernel.purposes import Action, Obligation
from sharing.tenants.services import actor_at, members_at

_TAKEN_BACK = (ConsentState.REVOKED, ConsentState.ENTERED_IN_ERROR)


def newest_of(consent: Consent) -> Consent | None:
    """The last version of what was superseded, where the patient still permits by it."""
    if consent.state != ConsentState.SUPERSEDED:
        return None
    versions = Consent.objects.filter(custodian=consent.custodian, number=consent.number)
    last = versions.select_related("custodian", "patient").order_by("-version")[0]
    return last if last.decision == Decision.PERMIT and last.state not in _TAKEN_BACK else None


def is_covered(copy: Copy, by: Consent, *, at: datetime) -> bool:
    """Whether this version would let this copy be taken by who took it, as they were then."""
    what = What(by.custodian.code, by.patient.public_id, copy.study, copy.study_uid)
    subject, actor = subject_at(what, at=at), actor_at(copy.who, at=copy.at)
    if subject is None or actor is None:
        return False
    facts = _facts(by, copy.at)
    ask = Ask(actor, Action(copy.action.removeprefix("study.")), subject, at)
    meant = bool(facts.names(actor)) or facts.goes_by(way_of(actor))
    held = Obligation.NO_DOWNLOAD in facts.obligations
    return meant and not held and _gives(facts, ask)


def _gives(facts: ConsentFacts, ask: Ask) -> bool:
    said = ask.actor.purpose in facts.purposes and ask.action in facts.actions
    return said and facts.covers(ask.subject)


def _facts(consent: Consent, moment: datetime) -> ConsentFacts:
    teams = consent.grantees.exclude(team=None).values_list("team_id", flat=True)
    return consent_facts(consent, members=members_at(teams, at=moment))
