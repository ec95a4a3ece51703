"""What is missing for an access, in plain words. Pure: it explains `decide`, it decides nothing."""

from collections.abc import Iterator

from sharing.consent.rules import Decision as Said
from sharing.consent.rules import GranteeKind
from sharing.tenants.rules import Role

from .rules import Ask, ConsentFacts, Facts, Rule, decide

NOTHING_ON_FILE = "No consent is on file"
NOT_TOLD = "The patient’s consents do not let you share it there"
"""What who shares on is told, whatever it is."""


def missing(ask: Ask, facts: Facts) -> str:
    """Why the actor may not do this, and which consent comes nearest; blank when it is allowed."""
    decision = decide(ask, facts)
    if decision.allowed:
        return ""
    if decision.basis.rule not in {Rule.IMPLICIT_POLICY, Rule.NOTHING_APPLIES}:
        consent = f" ({decision.basis.consent})" if decision.basis.consent else ""
        return f"{decision.reason}{consent}"
    gaps = [found for found in _by_consent(ask, facts) if found[1]]
    if not gaps:
        return NOTHING_ON_FILE
    key, nearest = min(gaps, key=lambda pair: len(pair[1]))
    return f"{key} {' and '.join(nearest)}"


def _by_consent(ask: Ask, facts: Facts) -> Iterator[tuple[str, list[str]]]:
    for consent in facts.consents:
        about = consent.decision == Said.PERMIT and consent.is_about(ask.subject)
        if about and not _over(consent, ask):
            yield consent.key, list(_gaps(consent, ask))


def _over(consent: ConsentFacts, ask: Ask) -> bool:
    return consent.ends_at is not None and consent.ends_at <= ask.at


def _used_up(consent: ConsentFacts) -> str:
    if consent.maximum_uses is not None and consent.used >= consent.maximum_uses:
        return "is used up"
    return "is for images without what names the patient"


def _gaps(consent: ConsentFacts, ask: Ask) -> Iterator[str]:
    """What this consent lacks, as ends of a sentence that begins with its number."""
    if not consent.in_force(ask.at):
        yield "is not in force now"
    if not consent.covers(ask.subject):
        yield "does not cover this study"
    if ask.actor.purpose not in consent.purposes:
        yield f"is not for {ask.actor.purpose.words}"
    if consent.covers(ask.subject) and not consent.usable(ask):
        yield _used_up(consent)
    if ask.action not in consent.actions:
        yield f"does not let anybody {ask.action.words}"
    elif Role.BEARER in ask.actor.roles:
        if not consent.goes_by(GranteeKind.LINK):
            yield "does not let the custodian give links away"
    elif not consent.names(ask.actor) and not consent.through_custodian:
        yield "neither names them nor lets the custodian name them"
