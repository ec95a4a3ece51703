"""May this actor do this to this study now, and on what ground? Pure, and the only answer.

The precedence is a ladder: the first rung that has an answer decides. A later rule is one more
rung. `models.visible` says the same in SQL; tests hold the two equal.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from sharing.consent.rules import Decision as Said
from sharing.consent.rules import Force, GranteeKind
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.tenants.rules import Actor, ImplicitPolicy, Role, tightest

from .facts import (
    FOREVER,
    LOOKING,
    Ask,
    Basis,
    ConsentFacts,
    Decision,
    Facts,
    GrantFacts,
    Rule,
    counted_of,
    obligations_of,
    takes_a_copy,
)
from .glass import glass_gives
from .parties import Named

OWN_STAFF_PURPOSES = frozenset({Purpose.TREATMENT, Purpose.OPERATIONS})
NEVER_IMPLIED = frozenset({Action.RESHARE, Action.AI})
"""What somebody must have said: no policy opens it."""
Rung = Callable[[Ask, Facts], Decision | None]


def decide(ask: Ask, facts: Facts) -> Decision:
    """May this actor do this to this study now, and on what ground?"""
    return next(answer for _, answer in walk(ask, facts) if answer is not None)


def walk(ask: Ask, facts: Facts) -> Iterator[tuple[Rung, Decision | None]]:
    """The rungs in their order, each with its answer; the last one decides."""
    for rung in LADDER:
        answer = rung(ask, facts)
        yield rung, answer
        if answer is not None:
            return


def gates(ask: Ask, facts: Facts) -> Decision | None:
    """Rung 0: what must hold before any consent is read."""
    closed = closed_gate(ask.actor, ask.action)
    return _refuse(*closed) if closed else None


def closed_gate(actor: Actor, action: Action) -> tuple[Rule, str] | None:
    """The first gate that is closed to this actor and action, with its sentence."""
    if not actor.active:
        return Rule.ACTOR_INACTIVE, "The account or the organization is not active"
    if not actor.assured:
        return Rule.SECOND_FACTOR_MISSING, "The second factor was not used"
    if not actor.may_declare():
        return Rule.PURPOSE_NOT_OF_ROLE, "The role may not act for this purpose"
    if not actor.may_ever(action):
        return Rule.ACTION_NOT_OF_ROLE, "The role does not include this action"
    return None


def shut(actor: Actor, action: Action) -> bool:
    """Whether this actor can do this to no study at all, whoever holds it."""
    return bool(closed_gate(actor, action)) or (actor.apart and not is_own(actor))


def excluded(ask: Ask, facts: Facts) -> Decision | None:
    """Before rung 1: a person on the patient's exclusion list, own staff included."""
    for consent, _ in _binding(ask, facts, Force.EXCLUSION):
        return _refuse(Rule.PERSON_EXCLUDED, "The patient excluded this person", consent.key)
    return None


def own_staff(ask: Ask, facts: Facts) -> Decision | None:
    """Rung 1: the custodian's own staff keep access to its own studies.

    Who treats there, always. Who acts for its operations knows what it keeps, whatever was said,
    and looks into it unless the patient opted out.
    """
    if not is_own(ask.actor) or ask.actor.organization_id != ask.subject.custodian_id:
        return None
    if opt_out_binds(ask.actor, ask.action) and any(_binding(ask, facts, Force.OPT_OUT)):
        return None
    support = ask.actor.support
    if support is not None:
        basis = Basis(Rule.SUPPORT_SESSION, until=support.until)
        return Decision(allowed=True, reason=support.words, basis=basis)
    reason = "Your own organization holds this study"
    return Decision(allowed=True, reason=reason, basis=Basis(Rule.OWN_STAFF))


def is_own(actor: Actor) -> bool:
    """Whether the actor is staff at all: acts for what staff act for, and came by no link."""
    return actor.purpose in OWN_STAFF_PURPOSES and Role.BEARER not in actor.roles


def opt_out_binds(actor: Actor, action: Action) -> bool:
    """Whether an absolute opt-out keeps the own staff too from this: it does not treat."""
    return actor.purpose != Purpose.TREATMENT and action != Action.DISCOVER


def inactive_custodian(ask: Ask, facts: Facts) -> Decision | None:
    """Rung 0 for all others: an organization that is not active shares nothing and sees nothing."""
    if ask.actor.support is not None:
        return _refuse(Rule.SUPPORT_SESSION, "A support session opens no other organization")
    if ask.actor.apart:
        return _refuse(Rule.ACTOR_INACTIVE, "The account or the organization is not active")
    if ask.subject.custodian_active:
        return None
    return _refuse(Rule.CUSTODIAN_INACTIVE, "The organization that holds it is not active")


def unagreed(ask: Ask, facts: Facts) -> Decision | None:
    """Rung 0 for all others, where the region demands it: the organizations signed an agreement.

    It binds in an emergency and for whoever comes by a link, too.
    """
    if not facts.region.agreements:
        return None
    at_home = ask.actor.organization_id == ask.subject.custodian_id
    if at_home and Role.BEARER not in ask.actor.roles:
        return None
    if any(agreement.speaks_of(ask) for agreement in facts.agreements):
        return None
    return _refuse(Rule.NO_AGREEMENT, "The two organizations have no agreement for this")


def uncertain_identity(ask: Ask, facts: Facts) -> Decision | None:
    """A patient of uncertain identity is visible to the custodian only."""
    if ask.subject.certain:
        return None
    return _refuse(Rule.IDENTITY_UNCERTAIN, "The patient's identity is not certain")


def opted_out(ask: Ask, facts: Facts) -> Decision | None:
    """Rung 2: the patient wants no sharing at all; an emergency opens nothing either."""
    for consent, _ in _binding(ask, facts, Force.OPT_OUT):
        return _refuse(Rule.OPTED_OUT, "The patient refused all sharing", consent.key)
    return None


def emergency(ask: Ask, facts: Facts) -> Decision | None:
    """Before rung 3: a broken glass overrides denials; it lets look and gives no copy.

    What is permitted without it is permitted by that, with all that the patient asked for: it is
    counted, told and marked.
    """
    if not glass_gives(ask.actor, ask.action):
        return None
    open_now = [glass for glass in facts.glasses if glass.speaks_of(ask)]
    if not open_now or decide(ask, replace(facts, glasses=())).allowed:
        return None
    glass = max(open_now, key=lambda each: each.ends_at)
    return Decision(
        allowed=True,
        reason=f"Emergency access, until {glass.ends_at:%H:%M}",
        basis=Basis(Rule.EMERGENCY, grant=glass.key, until=glass.ends_at),
        obligations=frozenset({Obligation.NO_DOWNLOAD}),
    )


def denied(ask: Ask, facts: Facts) -> Decision | None:
    """Rung 3: any deny that names the actor, whatever else was permitted."""
    for consent in _speaking(ask, facts, Said.DENY):
        named = consent.names(ask.actor)
        if named and consent.force == Force.ORDINARY:
            whom = named.name or "everybody"
            reason = f"Patient refused {whom} for {ask.actor.purpose.words}"
            return _refuse(Rule.CONSENT_DENIES, reason, consent.key)
    return None


def held_back(ask: Ask, facts: Facts) -> Decision | None:
    """Before rung 4: a permit that lets the actor look and take no copy, whatever another says."""
    if not takes_a_copy(ask.action):
        return None
    for consent in facts.consents:
        strict = Obligation.NO_DOWNLOAD in consent.obligations and consent.names(ask.actor)
        if strict and consent.decision == Said.PERMIT and consent.serves(ask):
            reason = "The patient permitted to look, and no copy"
            return _refuse(Rule.OBLIGATION_FORBIDS, reason, consent.key)
    return None


def permitted(ask: Ask, facts: Facts) -> Decision | None:
    """Rung 4a: a permit that names the actor or a group that the actor is of.

    Who comes by a link came for what was given by it, and sees nothing else that is permitted.
    """
    if Role.BEARER in ask.actor.roles:
        return None
    direct = [(c, c.names(ask.actor)) for c in _speaking(ask, facts, Said.PERMIT)]
    found = [(consent, named) for consent, named in direct if named]
    if not found:
        return None
    consent, named = max(found, key=lambda pair: _ends(pair[0].ends_at))
    until = f", until {_day(consent.ends_at)}" if consent.ends_at else ""
    whom = named.name or "everybody"
    return Decision(
        allowed=True,
        reason=f"Patient permitted {whom} for {ask.actor.purpose.words}{until}",
        basis=Basis(Rule.CONSENT_PERMITS, consent.key, until=consent.ends_at),
        obligations=obligations_of(consent for consent, _ in found),
        counted=counted_of(consent for consent, _ in found),
    )


def shared(ask: Ask, facts: Facts) -> Decision | None:
    """Rung 4b: a share that stays inside a permit which lets the custodian name who may see."""
    grants = [grant for grant in facts.grants if grant.speaks_of(ask)]
    way = way_of(ask.actor)
    permits = [c for c in _speaking(ask, facts, Said.PERMIT) if c.goes_by(way)]
    pairs = [(grant, consent) for grant in grants for consent in permits if carries(consent, grant)]
    if not pairs:
        return None
    grant, consent = max(pairs, key=_until)
    until = _until((grant, consent))
    album = f" in the album “{grant.album}”" if grant.album else ""
    return Decision(
        allowed=True,
        reason=f"Shared by {grant.shared_by}{album} as the patient permitted, until {_day(until)}",
        basis=Basis(Rule.SHARED_INSIDE_CONSENT, consent.key, grant.key, until),
        obligations=obligations_of(consent for _, consent in pairs),
        counted=counted_of(consent for _, consent in pairs),
    )


def way_of(actor: Actor) -> GranteeKind:
    """By which kind of grantee a permit carries what the custodian gave this actor."""
    return GranteeKind.LINK if Role.BEARER in actor.roles else GranteeKind.NAMED_BY_CUSTODIAN


def carries(consent: ConsentFacts, grant: GrantFacts) -> bool:
    """Whether the consent was there when the custodian's share was made.

    What a patient withdrew stays withdrawn: a later consent wakes no share of before, and none
    that was shared on out of one.
    """
    return (consent.since or consent.starts_at) <= (grant.rooted_at or grant.starts_at)


def is_carried(ask: Ask, facts: Facts, grant: GrantFacts) -> bool:
    """Whether a permit carries the grant now, for what is asked."""
    permits = (c for c in _speaking(ask, facts, Said.PERMIT) if c.goes_by(way_of(ask.actor)))
    return any(carries(consent, grant) for consent in permits)


def _until(pair: tuple[GrantFacts, ConsentFacts]) -> datetime:
    grant, consent = pair
    return min(grant.ends_at, _ends(consent.ends_at))


def implied(ask: Ask, facts: Facts) -> Decision | None:
    """Rung 5: who was referred to, asked for a consult, or takes the patient over may look."""
    if not facts.region.implied or not may_be_implied(ask.actor, ask.action):
        return None
    for relation in facts.relations:
        if relation.speaks_of(ask):
            reason = f"{relation.words}, until {_day(relation.ends_at)}"
            basis = Basis(Rule.IMPLIED_RELATIONSHIP, until=relation.ends_at)
            return Decision(allowed=True, reason=reason, basis=basis)
    return None


def may_be_implied(actor: Actor, action: Action) -> bool:
    """Whether anything may open this without the patient's word: looking, to treat, by people."""
    return actor.purpose == Purpose.TREATMENT and actor.treating and action in LOOKING


def implicit_policy(ask: Ask, facts: Facts) -> Decision | None:
    """Rung 6: what the region says when nothing is on file; its organizations may be stricter."""
    policy = tightest(facts.region.policy, ask.subject.policy)
    if policy in policies_that_open(ask.actor, ask.action):
        if not ask.subject.labels:
            reason = f"No consent is on file, and the rule here is {_POLICY_WORDS[policy]}"
            return Decision(allowed=True, reason=reason, basis=Basis(Rule.IMPLICIT_POLICY))
        return _refuse(Rule.IMPLICIT_POLICY, "It is sensitive, and no consent is on file")
    if facts.region.policy == policy:
        reason = f"No consent is on file, and the region's rule is {_POLICY_WORDS[policy]}"
    else:
        reason = f"No consent is on file, and the custodian's rule is {_POLICY_WORDS[policy]}"
    return _refuse(Rule.IMPLICIT_POLICY, reason)


def policies_that_open(actor: Actor, action: Action) -> frozenset[ImplicitPolicy]:
    """The implicit policies under which this actor may do this to what is not sensitive."""
    if may_be_implied(actor, action):
        return ImplicitPolicy.TREATING.and_wider
    if is_own(actor) and action not in NEVER_IMPLIED:
        return ImplicitPolicy.ALL_NORMAL.and_wider
    return frozenset()


_POLICY_WORDS = {
    ImplicitPolicy.DENY: "deny",
    ImplicitPolicy.BREAK_GLASS: "emergencies only",
    ImplicitPolicy.TREATING: "to let those who treat look",
    ImplicitPolicy.ALL_NORMAL: "to let all of the region in",
}


def nothing_applies(ask: Ask, facts: Facts) -> Decision:
    """Rung 7: deny."""
    return _refuse(Rule.NOTHING_APPLIES, "Nothing permits it")


LADDER: tuple[Rung, ...] = (
    gates,
    excluded,
    own_staff,
    inactive_custodian,
    unagreed,
    uncertain_identity,
    opted_out,
    emergency,
    denied,
    held_back,
    permitted,
    shared,
    implied,
    implicit_policy,
    nothing_applies,
)
"""An emergency stands after `opted_out`: an exclusion and an opt-out bind in it too."""


def _refuse(rule: Rule, reason: str, consent: str = "") -> Decision:
    return Decision(allowed=False, reason=reason, basis=Basis(rule, consent))


def _speaking(ask: Ask, facts: Facts, said: Said) -> list[ConsentFacts]:
    return [c for c in facts.consents if c.decision == said and c.speaks_of(ask)]


def _binding(ask: Ask, facts: Facts, force: Force) -> Iterator[tuple[ConsentFacts, Named]]:
    """Denials of that force that name the actor: of all purposes, actions and studies."""
    for consent in facts.consents:
        if consent.force == force and consent.in_force(ask.at) and consent.is_about(ask.subject):
            named = consent.names(ask.actor)
            if named:
                yield consent, named


def _ends(moment: datetime | None) -> datetime:
    return moment or FOREVER


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"
