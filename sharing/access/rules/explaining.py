"""How a decision came about, rung by rung, and what would have to change. Pure.

It walks the same ladder as `decide`, so its verdict is the verdict. What it says would help was
tried: with exactly that changed, `decide` allows it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sharing.consent.rules import Decision as Said
from sharing.consent.rules import Force, GranteeKind
from sharing.kernel.purposes import LEAVING, Action, Obligation, Purpose
from sharing.tenants.rules import ACTIONS, PURPOSES, OrganizationState, Role, purposes_of

from .facts import (
    FOREVER,
    AgreementFacts,
    Ask,
    ConsentFacts,
    Decision,
    Facts,
    GlassFacts,
    GrantFacts,
    Rule,
)
from .glass import glass_gives
from .ladder import carries, decide, walk, way_of
from .parties import Named, Subject

QUESTIONS = {  # rung -> what it asks, and what it means that it has no answer
    "gates": ("Are account, second factor, purpose and role in order?", "Yes"),
    "excluded": ("Did the patient exclude this person?", "No"),
    "own_staff": ("Does working for the organization that holds it open it?", "No"),
    "unagreed": ("Do the two organizations have the agreement that is needed?", "Yes"),
    "inactive_custodian": ("Are both organizations active?", "Yes"),
    "uncertain_identity": ("Is the patient’s identity certain?", "Yes"),
    "opted_out": ("Did the patient refuse all sharing?", "No"),
    "emergency": ("Is an emergency access open?", "No"),
    "denied": ("Did the patient refuse it to them?", "No"),
    "held_back": ("Does a consent let them look and take no copy?", "No"),
    "permitted": ("Did the patient permit it to them?", "No"),
    "shared": ("Was it shared with them, inside a consent?", "No"),
    "implied": ("Does a referral, a consult or a transfer open it?", "No"),
    "implicit_policy": ("Does the region’s rule open it without a consent?", "No"),
    "nothing_applies": ("Does anything else permit it?", "No"),
}
MOST_CHANGES = 6
"""So many things, one after another, are tried; what needs more is not told."""


@dataclass(frozen=True)
class Step:
    """One rung: what it asked, what came of it, and what it rests on; `decided` for the last."""

    rung: str
    question: str
    answer: str
    decided: bool = False
    consent: str = ""


@dataclass(frozen=True)
class Explanation:
    """A decision, the ladder up to it, and each way to another one: all of a way is needed."""

    decision: Decision
    steps: tuple[Step, ...]
    ways: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Change:
    """One thing that could be otherwise, in words, and the question with it changed."""

    words: str
    ask: Ask
    facts: Facts


def explain(ask: Ask, facts: Facts) -> Explanation:
    """The decision with its precedence replayed; where it is no, what would make it a yes."""
    steps, decision = [], None
    for rung, answer in walk(ask, facts):
        steps.append(_step(rung.__name__, answer))
        decision = answer
    if decision is None:  # the last rung always answers
        raise ValueError("the ladder has no end")
    ways = () if decision.allowed else tuple(dict.fromkeys(_all_ways(ask, facts)))
    return Explanation(decision, tuple(steps), ways)


def _step(rung: str, answer: Decision | None) -> Step:
    question, passed = QUESTIONS.get(rung, (f"{rung.replace('_', ' ').capitalize()}?", "No"))
    if answer is None:
        return Step(rung, question, passed)
    return Step(rung, question, answer.reason, decided=True, consent=answer.basis.consent)


def _all_ways(ask: Ask, facts: Facts) -> Iterator[tuple[str, ...]]:
    waited = _moment_of_opening(ask, facts)
    if waited is not None:
        yield (f"Wait until {_moment(waited)}",)
    yield from sorted(_ways(ask, facts, MOST_CHANGES), key=len)
    emergency = _in_emergency(ask, facts)
    if emergency is not None:
        yield (emergency,)


def _ways(ask: Ask, facts: Facts, left: int) -> Iterator[tuple[str, ...]]:
    decision = decide(ask, facts)
    if decision.allowed:
        yield ()
    elif left:
        for change in _changes(decision, ask, facts):
            for rest in _ways(change.ask, change.facts, left - 1):
                yield (change.words, *rest)


def _changes(decision: Decision, ask: Ask, facts: Facts) -> Iterator[Change]:
    """What takes this refusal away; another one may stand behind it."""
    rule = decision.basis.rule
    for_actor = _ACTOR.get(rule)
    if for_actor is not None:
        yield from for_actor(ask, facts)
    elif rule in _SUBJECT:
        words, mended = _SUBJECT[rule]
        yield Change(words, replace(ask, subject=mended(ask.subject)), facts)
    elif rule == Rule.NO_AGREEMENT:
        yield _agreement(ask, facts)
    elif rule in _WITHDRAWN:
        yield _withdrawn(decision.basis.consent, rule, ask, facts)
    else:
        yield from _without_names(ask, facts)
        yield from _share(ask, facts)
        yield from _consent(ask, facts)


def _active(ask: Ask, facts: Facts) -> Iterator[Change]:
    actor = replace(ask.actor, active=True, stage=OrganizationState.ACTIVE)
    words = "The account and its organization are active again"
    yield Change(words, replace(ask, actor=actor), facts)


def _second_factor(ask: Ask, facts: Facts) -> Iterator[Change]:
    words = "They sign in with a second factor"
    yield Change(words, replace(ask, actor=replace(ask.actor, assured=True)), facts)


def _purpose(ask: Ask, facts: Facts) -> Iterator[Change]:
    for purpose in purposes_of(ask.actor.roles):
        words = f"They act for {purpose.words}"
        yield Change(words, replace(ask, actor=replace(ask.actor, purpose=purpose)), facts)


def _role(ask: Ask, facts: Facts) -> Iterator[Change]:
    """Somebody whose role includes it, for this purpose or else for the one of that role."""
    able = [role for role in _ROLES if ask.action in ACTIONS[role]]
    for purpose in dict.fromkeys([ask.actor.purpose, *(PURPOSES[role][0] for role in able)]):
        found = [role for role in able if purpose in PURPOSES[role]]
        if found:
            who = " or ".join(role.words.lower() for role in found)
            actor = replace(ask.actor, roles=frozenset(found), purpose=purpose)
            words = f"It is done by a {who}, for {purpose.words}"
            yield Change(words, replace(ask, actor=actor), facts)
            return


_ROLES = tuple(role for role in Role if role not in {Role.CLIENT, Role.BEARER, Role.SUPPORT})
_ACTOR: dict[str, Callable[[Ask, Facts], Iterator[Change]]] = {
    Rule.ACTOR_INACTIVE: _active,
    Rule.SECOND_FACTOR_MISSING: _second_factor,
    Rule.PURPOSE_NOT_OF_ROLE: _purpose,
    Rule.ACTION_NOT_OF_ROLE: _role,
}
_SUBJECT: dict[str, tuple[str, Callable[[Subject], Subject]]] = {
    Rule.CUSTODIAN_INACTIVE: (
        "The organization that holds it is active again",
        lambda subject: replace(subject, custodian_active=True),
    ),
    Rule.IDENTITY_UNCERTAIN: (
        "The patient’s identity is settled",
        lambda subject: replace(subject, certain=True),
    ),
}
_WITHDRAWN = {
    Rule.PERSON_EXCLUDED: "The patient takes back the exclusion {}",
    Rule.OPTED_OUT: "The patient takes back the opt-out {}",
    Rule.CONSENT_DENIES: "The patient takes back the refusal {}",
    Rule.OBLIGATION_FORBIDS: "A new version of {} allows copies",
}


def _withdrawn(key: str, rule: str, ask: Ask, facts: Facts) -> Change:
    def about(consent: ConsentFacts) -> bool:
        return consent.key == key and consent.is_about(ask.subject)

    if rule == Rule.OBLIGATION_FORBIDS:
        consents = tuple(_freed(c) if about(c) else c for c in facts.consents)
    else:
        consents = tuple(c for c in facts.consents if not about(c))
    return Change(_WITHDRAWN[Rule(rule)].format(key), ask, replace(facts, consents=consents))


def _freed(consent: ConsentFacts) -> ConsentFacts:
    kept = consent.obligations - {Obligation.NO_DOWNLOAD}
    return replace(consent, obligations=kept, actions=consent.actions | LEAVING)


def _agreement(ask: Ask, facts: Facts) -> Change:
    signed = AgreementFacts(
        key="",
        provider_id=ask.subject.custodian_id,
        recipient_id=ask.actor.organization_id,
        purposes=frozenset({ask.actor.purpose}),
        modalities=frozenset(),
        starts_at=ask.at,
        ends_at=FOREVER,
    )
    words = f"The custodian signs an agreement with {_whom(ask)} for {ask.actor.purpose.words}"
    return Change(words, ask, replace(facts, agreements=(*facts.agreements, signed)))


def _without_names(ask: Ask, facts: Facts) -> Iterator[Change]:
    """What research may have of it all the same: the only door for such copies is research's."""
    copy = replace(ask, action=Action.DOWNLOAD, deidentified=True)
    if ask.actor.purpose == Purpose.RESEARCH and decide(copy, facts).allowed:
        words = "They take a copy without names instead"
        yield Change(words, copy, facts)


def _share(ask: Ask, facts: Facts) -> Iterator[Change]:
    """The custodian gives it, where a consent lets it name who may see."""
    carrying = [c for c in facts.consents if c.decision == Said.PERMIT and c.speaks_of(ask)]
    grant = _imagined_grant(ask)
    for consent in carrying:
        if consent.goes_by(way_of(ask.actor)) and carries(consent, grant):
            words = f"The custodian shares it with {_whom(ask)}: {consent.key} lets it"
            yield Change(words, ask, replace(facts, grants=(*facts.grants, grant)))
            return


def _imagined_grant(ask: Ask) -> GrantFacts:
    return GrantFacts(
        key="",
        custodian_id=ask.subject.custodian_id,
        patient_id=ask.subject.patient_id,
        study_uid=ask.subject.study_uid,
        grantee=_named(ask),
        purpose=ask.actor.purpose,
        actions=frozenset({ask.action}),
        starts_at=ask.at,
        ends_at=FOREVER,
        shared_by="",
    )


def _consent(ask: Ask, facts: Facts) -> Iterator[Change]:
    """A permit that names them, for this purpose and this action."""
    lets = "" if ask.action == Action.DISCOVER else f", and lets them {ask.action.words}"
    words = f"A consent names {_whom(ask)} for {ask.actor.purpose.words}{lets}"
    permit = _permit(ask.subject, _named(ask), ask)
    yield Change(words, ask, replace(facts, consents=(*facts.consents, permit)))


def _permit(subject: Subject, named: Named, ask: Ask) -> ConsentFacts:
    return ConsentFacts(
        key="",
        decision=Said.PERMIT,
        custodian_id=subject.custodian_id,
        patient_id=subject.patient_id,
        starts_at=ask.at,
        ends_at=None,
        grantees=(named,),
        purposes=frozenset({ask.actor.purpose}),
        actions=frozenset({ask.action}),
        force=Force.ORDINARY,
    )


def _named(ask: Ask) -> Named:
    actor = ask.actor
    if Role.BEARER in actor.roles:
        return Named(GranteeKind.LINK, link=actor.id)
    return Named(GranteeKind.ORGANIZATION, actor.organization_id, name=actor.organization_name)


def _whom(ask: Ask) -> str:
    return "the bearer" if Role.BEARER in ask.actor.roles else ask.actor.organization_name


def _moment_of_opening(ask: Ask, facts: Facts) -> datetime | None:
    """The first moment to come at which the same facts allow it."""
    for moment in sorted(set(_edges(facts))):
        if moment > ask.at and decide(replace(ask, at=moment), facts).allowed:
            return moment
    return None


def _edges(facts: Facts) -> Iterator[datetime]:
    """When anything begins or ends."""
    for consent in facts.consents:
        yield consent.starts_at
        yield from (end for end in (consent.ends_at, consent.lapses_at) if end is not None)
    for spans in (facts.grants, facts.relations, facts.glasses, facts.agreements):
        for each in spans:
            yield from (each.starts_at, each.ends_at)


def _in_emergency(ask: Ask, facts: Facts) -> str | None:
    """Whether breaking the glass would open it: for hours, to look."""
    actor = ask.actor
    if actor.user_id is None or not glass_gives(actor, ask.action):
        return None
    glass = GlassFacts(
        key="",
        user_id=actor.user_id,
        organization_id=actor.organization_id,
        patients=frozenset({ask.subject.patient_id}),
        starts_at=ask.at,
        ends_at=FOREVER,
    )
    opened = decide(ask, replace(facts, glasses=(*facts.glasses, glass)))
    return "In an emergency: emergency access, for hours" if opened.allowed else None


def _moment(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y, %H:%M}"
