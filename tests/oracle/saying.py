"""Acts about consents: what patients say, change and withdraw, and who speaks for them."""

from dataclasses import replace
from random import Random

from sharing.consent.rules import Decision, GranteeKind, Performer
from sharing.consent.services import (
    Said,
    Whom,
    amend_consent,
    end_proxy,
    exclude_person,
    mark_error,
    name_proxy,
    opt_out,
    reaffirm,
    record_consent,
    revoke_consent,
    said_by,
)
from sharing.kernel.purposes import Action, Purpose
from tests.oracle import drawing, facts
from tests.oracle.asked import in_force
from tests.oracle.doing import (
    clerk,
    home_of,
    one,
    refusal,
    some_consent,
    told,
)
from tests.oracle.region import (
    DAY,
    HOUR,
    ProxyTwice,
    Twice,
    noted,
)


def says(both: Twice, rng: Random) -> None:
    """A patient permits or refuses."""
    patient = rng.choice(["pat", "pat", "pat", "kid", "hil", "doe"])
    drawn = drawing.consent(both, rng, patient)
    row = record_consent(
        patient=both.patients[patient], said=drawn.said, by=clerk(both, patient), at=both.at
    )
    drawn.known.since = max(drawn.known.starts, both.at)
    noted(both, row, drawn.known)


def lets_the_custodian_choose(both: Twice, rng: Random) -> None:
    """The permit under which most is shared."""
    patient = rng.choice(["pat", "pat", "kid", "hil"])
    choice = Whom(GranteeKind.NAMED_BY_CUSTODIAN), facts.Whom("named_by_custodian")
    ends = both.at + rng.randint(1, 6) * DAY
    actions = frozenset(Action.RESHARE.ladder)
    purposes = frozenset({Purpose.TREATMENT})
    said = Said(
        decision=Decision.PERMIT, starts_at=both.at, ends_at=ends, purposes=purposes,
        actions=actions, others=(choice[0],), evidence=both.evidence(home_of(both, patient)),
    )  # fmt: skip
    by = clerk(both, patient)
    row = record_consent(patient=both.patients[patient], said=said, by=by, at=both.at)
    known = facts.Consent(
        patient, True, (choice[1],), frozenset(map(str, purposes)),  # noqa: FBT003
        frozenset(map(str, actions)), both.at, ends, since=both.at,
    )  # fmt: skip
    noted(both, row, known)


def excludes(both: Twice, rng: Random) -> None:
    """A patient keeps a person out."""
    patient, person = rng.choice(list(both.patients)), rng.choice(drawing.PEOPLE)
    row = exclude_person(
        patient=both.patients[patient], user=both.users[person], told=told(both, patient),
        by=clerk(both, patient), at=both.at,
    )  # fmt: skip
    noted(both, row, refusal(both, patient, facts.Whom("practitioner", person=person), "exclusion"))


def opts_out(both: Twice, rng: Random) -> None:
    """A patient refuses all sharing."""
    patient = rng.choice(list(both.patients))
    by = clerk(both, patient)
    row = opt_out(patient=both.patients[patient], told=told(both, patient), by=by, at=both.at)
    noted(both, row, refusal(both, patient, facts.Whom("everyone"), "opt_out"))


def revokes(both: Twice, rng: Random) -> None:
    """A patient withdraws one of the things said."""
    row = some_consent(both, rng)
    by = clerk(both, both.consents[row.pk].patient)
    why = both.words("Asked.", home_of(both, both.consents[row.pk].patient))
    revoke_consent(consent=row, by=by, why=why, at=both.at)
    both.consents[row.pk].state = "revoked"


def was_an_error(both: Twice, rng: Random) -> None:
    """It should never have been recorded."""
    row = some_consent(both, rng)
    by = clerk(both, both.consents[row.pk].patient)
    mark_error(consent=row, by=by, why="Wrong patient.", at=both.at)
    both.consents[row.pk].state = "entered_in_error"


def amends(both: Twice, rng: Random) -> None:
    """A new version: wider, so that shares go on; or narrower, so that they end."""
    row = some_consent(both, rng)
    old = both.consents[row.pk]
    said = replace(said_by(row), evidence=both.evidence(home_of(both, old.patient)))
    wider = rng.random() < 0.5
    if wider:
        said = replace(said, purposes=said.purposes | {Purpose.TREATMENT})
    elif len(said.actions) > 1:
        said = replace(said, actions=said.actions - {rng.choice(sorted(said.actions))})
    else:
        said = replace(said, ends_at=max(said.starts_at, both.at) + HOUR)
        wider = False
    stood = in_force(both.world, old, both.at)
    by = clerk(both, old.patient)
    made = amend_consent(consent=row, said=said, by=by, at=both.at)
    old.state = "superseded"
    goes_on = stood and wider and said.starts_at <= both.at
    since = old.since if goes_on else max(said.starts_at, both.at)
    noted(both, made, replace(
        old, state="active", since=since, ends=said.ends_at,
        purposes=frozenset(map(str, said.purposes)), actions=frozenset(map(str, said.actions)),
    ))  # fmt: skip


def reaffirms(both: Twice, rng: Random) -> None:
    """Of age, or able again: the patient says the same in their own name."""
    row = some_consent(both, rng)
    old = both.consents[row.pk]
    by = clerk(both, old.patient)
    made = reaffirm(consent=row, told=told(both, old.patient), by=by, at=both.at)
    old.state = "superseded"
    noted(both, made, replace(
        old, state="active", starts=both.at, since=both.at, speaker=facts.Speaker()
    ))  # fmt: skip


def names_a_proxy(both: Twice, rng: Random) -> None:
    """Somebody may speak for a patient, for a while."""
    patient, relation = rng.choice([("pat", "representative"), ("kid", "guardian")])
    ends = rng.choice([None, both.at + rng.randint(1, 4) * DAY])
    row = name_proxy(
        patient=both.patients[patient], relation=Performer(relation),
        name=both.words("Rep", home_of(both, patient)),
        document="Order", starts_at=both.at, ends_at=ends, by=clerk(both, patient), at=both.at,
    )  # fmt: skip
    both.proxies.append(ProxyTwice(patient, row, facts.Speaker(relation, ends)))


def ends_a_proxy(both: Twice, rng: Random) -> None:
    """And no longer."""
    proxy = one(rng, both.proxies)
    end_proxy(proxy=proxy.row, by=clerk(both, proxy.patient), why="Over.", at=both.at)
    if proxy.known.until is None or proxy.known.until > both.at:
        proxy.known.until = both.at
