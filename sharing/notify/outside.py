"""Which copies are outside what the patient says now: a permit was narrowed, or something refused.

What counts is what the patient says now of whom, for what, of which studies: not whether the copy
could be taken again today, because shares end and people leave.
"""

from datetime import datetime

from sharing.access.rules import Ask, ConsentFacts, way_of
from sharing.access.services import facts_of_consents
from sharing.archive.services.past import subject_at
from sharing.archive.services.replaying import ACCESSES
from sharing.audit.rules import UNNAMED_COPY, What
from sharing.audit.services import Copy
from sharing.consent.models import Consent
from sharing.consent.rules import ConsentState, Decision, Force
from sharing.kernel.purposes import Obligation
from sharing.tenants.services import actor_at

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
    ask, facts = _asked(copy, by, at), _facts(by, copy.at)
    if ask is None:
        return False
    meant = bool(facts.names(ask.actor)) or facts.goes_by(way_of(ask.actor))
    return meant and _gives(facts, ask) and _is_about(facts, ask)


def _gives(facts: ConsentFacts, ask: Ask) -> bool:
    named = Obligation.DEIDENTIFY in facts.obligations and not ask.deidentified
    held = Obligation.NO_DOWNLOAD in facts.obligations or named
    return ask.action in facts.actions and not held


def is_refused(copy: Copy, by: Consent, *, at: datetime) -> bool:
    """Whether this refusal is in force and means who took the copy, and what it is of."""
    ask, facts = _asked(copy, by, at), _facts(by, copy.at)
    if not facts.in_force(at):
        return False
    if ask is None:  # who took it, or of what, is not known any more: it is one of everybody's
        return facts.force == Force.OPT_OUT
    if facts.force != Force.ORDINARY:
        return bool(facts.names(ask.actor))
    meant = facts.names(ask.actor) and not facts.actions.isdisjoint(ask.action.ladder)
    return bool(meant) and _is_about(facts, ask)


def _asked(copy: Copy, consent: Consent, at: datetime) -> Ask | None:
    what = What(consent.custodian.code, consent.patient.public_id, copy.study, copy.study_uid)
    subject, actor = subject_at(what, at=at), actor_at(copy.who, at=copy.at)
    if subject is None or actor is None:
        return None
    unnamed = copy.action == UNNAMED_COPY
    return Ask(actor, ACCESSES[copy.action], subject, at, deidentified=unnamed)


def _is_about(facts: ConsentFacts, ask: Ask) -> bool:
    return ask.actor.purpose in facts.purposes and facts.covers(ask.subject)


def _facts(consent: Consent, moment: datetime) -> ConsentFacts:
    (facts,) = facts_of_consents([consent], moment=moment)
    return facts
