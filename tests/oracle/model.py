"""The rules of access as the design says them, written once more from its words.

Imports nothing of the portal's: where this and the portal differ, one of them is wrong. What the
words leave open is read like this:

1. Actions are granted each by itself: a permit gives those that it lists, and the order of
   strength gives nothing by itself. Who is refused one is refused all that are stronger: nobody
   takes a copy of what they may not look at, or may not know of.
2. Which role may declare a purpose and do an action at all is decided before consent (gate 0).
3. "The custodian's own treating staff" are all who act there for treatment or for its operations:
   who keeps its archive, answers for it or records consents acts for treatment's sake, and would
   ask consent of nobody. Roles limit them (gate 0): a privacy officer sees no image. Its research
   is no treatment. A machine acts as its organization's staff, by its token's purpose. An absolute
   opt-out, though, leaves access to those alone who treat: the others know what is kept there,
   since they keep it, and look no more.
4. The exclusion list stands on the first rung: it holds against everything below, emergencies
   included, and against everybody whom it names.
5. What a study doesn't say (no date, no region, no series) is not covered by a permit that asks
   for it, and is by a denial. A study is decided as a whole: a permit for series covers it when
   all its series are named, a denial when one of them is.
6. An emergency overrides denials, and what nobody permitted; it gives looking, no copy and no
   sharing, to a person who treats and acts for treatment.
7. A share stays inside a permit that lets the custodian choose who may see; a link inside one
   that lets links be given. It was made while that permit held: a new permit revives no share.
8. A relationship and the policy `treating clinicians` give looking, for treatment, to who treats.
   `all normal` gives, for treatment and operations, all but sharing on and analysis by software.
   What carries a label of sensitivity is not normal: no implicit policy opens it.
9. "Only without what names the patient" is a permit for what is de-identified, and for nothing
   that names. "No download" binds whom the permit names, whatever another one gives: of two
   permits, the stricter word on copies holds.
10. Who bears a link came for what was given by it: nothing else that is permitted, to everybody
    even, is given to them. What refuses everybody refuses them too.
11. No consent can be told to be of a patient whose identity is uncertain: it opens nothing, to the
    custodian's researchers either.
12. An agreement is signed by the custodian, who gives, and by one who takes, for purposes and,
    where it says so, for modalities. Nobody needs one at home.
13. What was shared on is never more than what it was shared out of: it lives while that lives, and
    is carried by what carries that.
"""

from dataclasses import dataclass
from datetime import datetime

from .asked import (
    ACTIONS,
    BREAKERS,
    COPIES,
    LOOK,
    OWN_PURPOSES,
    POLICIES,
    PURPOSES,
    Question,
    binding,
    carries,
    holds,
    in_standing,
    lasts,
    names,
    reaches,
    serves,
    speaks,
    tied,
)
from .facts import Actor, World


@dataclass(frozen=True)
class Answer:
    """Whether, and which rung said so."""

    allowed: bool
    rung: str

    def __bool__(self) -> bool:
        return self.allowed


def may(
    world: World, actor: Actor, action: str, study: str, now: datetime, *, unnamed: bool = False
) -> Answer:
    """May this actor do this with this study at this moment, by what is on file?"""
    question = Question(world, actor, action, study, now, unnamed)
    for rung in RUNGS:
        answer = rung(question)
        if answer is not None:
            return Answer(answer, rung.__name__)
    return Answer(allowed=False, rung="nothing")


def gates(q: Question) -> bool | None:
    """0. Everything that is decided before consent."""
    homes = [] if q.actor.kind == "link" else [q.world.organizations[q.actor.organization]]
    if not all(each.active for each in (*homes, q.world.organizations[q.study.custodian])):
        return False
    if not in_standing(q) or q.study.quarantined:
        return False
    if q.actor.kind == "user" and not q.actor.assured and any(h.second_factor for h in homes):
        return False
    speaking = [role for role in q.roles if q.actor.purpose in PURPOSES[role]]
    return None if any(q.action in ACTIONS[role] for role in speaking) else False


def exclusion(q: Question) -> bool | None:
    """1. A person on the patient's exclusion list."""
    return False if any(binding(q, "exclusion")) else None


def own_staff(q: Question) -> bool | None:
    """1. The custodian's own treating staff."""
    if not (q.at_custodian and q.actor.purpose in OWN_PURPOSES):
        return None
    keeps_only = q.actor.purpose != "TREAT" and q.action != "discover"
    return None if keeps_only and any(binding(q, "opt_out")) else True


def uncertain(q: Question) -> bool | None:
    """Who is not known for sure is seen by the custodian only."""
    return None if q.patient.certain else False


def agreed(q: Question) -> bool | None:
    """0. Where the region demands one: an agreement between the organizations."""
    needed = q.world.demands_agreements and not q.at_custodian
    return False if needed and not any(holds(q, each) for each in q.world.agreements) else None


def opt_out(q: Question) -> bool | None:
    """2. Absolute: also against emergencies."""
    return False if any(binding(q, "opt_out")) else None


def emergency(q: Question) -> bool | None:
    """Break-glass stands above the denials of rung 3."""
    able = q.actor.kind == "user" and q.actor.purpose == "TREAT" and bool(q.roles & BREAKERS)
    if not able or q.action not in LOOK:
        return None
    return True if any(lasts(q, glass) for glass in q.world.glasses) else None


def denial(q: Question) -> bool | None:
    """3. Any denial that matches, whatever permits."""
    said = (c for c in q.world.consents if not c.permits and c.force == "ordinary")
    return False if any(speaks(q, c) and names(q, c) for c in said) else None


def no_copy(q: Question) -> bool | None:
    """3. What a permit forbids by its obligation, no other one gives."""
    strict = (c for c in q.world.consents if c.permits and "no_download" in c.obligations)
    held = q.action in COPIES and any(serves(q, c) and names(q, c) for c in strict)
    return False if held else None


def permit(q: Question) -> bool | None:
    """4. A permit that names the actor, or carries a share that does."""
    for consent in q.world.consents:
        if not consent.permits or q.action not in consent.actions or not serves(q, consent):
            continue
        if q.actor.kind != "link" and names(q, consent):
            return True
        if any(carries(consent, grant) and reaches(q, grant) for grant in q.world.grants):
            return True
    return None


def relationship(q: Question) -> bool | None:
    """5. Referrer, open consult or transfer, where the region allows it."""
    if not (q.world.implied and q.treats and q.action in LOOK):
        return None
    return True if any(tied(q, tie) for tie in q.world.ties) else None


def policy(q: Question) -> bool | None:
    """6. What holds when nothing is on file; an organization may only tighten it."""
    own = q.world.organizations[q.study.custodian].policy or q.world.policy
    holds = min(q.world.policy, own, key=POLICIES.index)
    if q.study.labels or q.actor.kind == "link":
        return None
    if q.treats and q.action in LOOK:
        return True if holds in ("treating", "all_normal") else None
    normal = holds == "all_normal" and q.action not in ("reshare", "ai")
    return True if normal and q.actor.purpose in OWN_PURPOSES else None


RUNGS = (
    gates, agreed, exclusion, own_staff, uncertain, opt_out, emergency, denial, no_copy, permit,
    relationship, policy,
)  # fmt: skip
