"""What patients say, drawn at random: for the portal's form and for the model alike."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from sharing.consent.rules import Decision, GranteeKind, Performer
from sharing.consent.services import EVERYONE, Said, Whom
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.tenants.rules import Role
from tests.cast import NOW
from tests.oracle import facts
from tests.oracle.region import DAY, HOMES, Twice

PEOPLE = ("ada", "rory", "mei", "ben", "rhea", "kim", "cleo", "hal")
FORMS = (
    "organization", "organization", "organization", "practitioner", "practitioner", "choice",
    "choice", "choice", "everyone", "role", "role_here", "machine", "team", "project",
)  # fmt: skip


@dataclass
class Drawn:
    """One thing to say, twice."""

    said: Said
    known: facts.Consent


def whom(both: Twice, rng: Random, *forms: str) -> tuple[Whom, facts.Whom]:
    """One grantee."""
    form = rng.choice(forms or FORMS)
    home, person = rng.choice(HOMES), rng.choice(PEOPLE)
    row = both.homes[home]
    if form == "organization":
        return Whom(GranteeKind.ORGANIZATION, organization=row), facts.Whom(form, home)
    if form == "practitioner":
        user = both.users[person]
        return Whom(GranteeKind.PRACTITIONER, user=user), facts.Whom(form, person=person)
    if form == "choice":
        return Whom(GranteeKind.NAMED_BY_CUSTODIAN), facts.Whom("named_by_custodian")
    if form == "everyone":
        return EVERYONE, facts.Whom(form)
    if form in ("role", "machine"):
        role = Role.CLIENT if form == "machine" else rng.choice([Role.PHYSICIAN, Role.CLERK])
        return Whom(GranteeKind.ROLE, role=role), facts.Whom("role", role=str(role))
    if form == "role_here":
        named = Whom(GranteeKind.ROLE, role=Role.PHYSICIAN, organization=row)
        return named, facts.Whom("role", home, role="physician")
    key = {"team": "care_team"}.get(form, form)
    return Whom(GranteeKind(form), team=both.teams[key]), facts.Whom(form, team=key)


def consent(both: Twice, rng: Random, patient: str) -> Drawn:
    """A permit or an ordinary denial of that patient's."""
    permits = rng.random() < 0.65
    forms = [form for form in FORMS if permits or form != "choice"]  # no way is refused, but people
    named = [whom(both, rng, *forms) for _ in range(rng.choice([1, 1, 2]))]
    left_out = []
    if not permits and rng.random() < 0.5:
        left_out = [whom(both, rng, "organization", "practitioner", "team", "role_here")]
    starts = both.at + rng.choice([0, 0, 0, 0, -1, 1]) * DAY
    ends = rng.choice([None, starts + rng.randint(1, 6) * DAY])
    limits = _limits(both, rng, patient)
    period = _period(rng)
    obliged = _obligations(rng, permits=permits)
    values: dict[str, Any] = {
        "purposes": _purposes(rng),
        "actions": _actions(rng, no_copy=Obligation.NO_DOWNLOAD in obliged),
    }
    said = Said(
        decision=Decision.PERMIT if permits else Decision.DENY,
        starts_at=starts,
        ends_at=ends,
        others=tuple(real for real, _ in named),
        excepted=tuple(real for real, _ in left_out),
        obligations=obliged,
        evidence=both.evidence(both.world.patients[patient].custodian),
        **values, **_as_said(both, limits), **period, **speaker(both, rng, patient),
    )  # fmt: skip
    known = facts.Consent(
        patient, permits, tuple(known for _, known in named), _plain(values["purposes"]),
        _plain(values["actions"]), starts, ends, tuple(known for _, known in left_out),
        obligations=_plain(obliged), speaker=_speaker_of(both, said), **limits, **period,
    )  # fmt: skip
    return Drawn(said, known)


def speaker(both: Twice, rng: Random, patient: str) -> dict[str, Any]:
    """Mostly the patient; for the child a parent; or somebody named before."""
    proxies = [p for p in both.proxies if p.patient == patient]
    if proxies and rng.random() < 0.5:
        chosen = rng.choice(proxies)
        return {"performer": Performer(chosen.known.relation), "proxy": chosen.row}
    if patient == "kid" and rng.random() < 0.7:
        return {"performer": Performer.PARENT, "performer_name": rng.choice(["Ann", "Bob"])}
    return {}


def _speaker_of(both: Twice, said: Said) -> facts.Speaker:
    """The one object for all that a proxy says: when the proxy ends, all of it does."""
    for each in both.proxies:
        if said.proxy is not None and each.row.pk == said.proxy.pk:
            return each.known
    return facts.Speaker(str(said.performer))


def _purposes(rng: Random) -> frozenset[Purpose]:
    several = [Purpose.TREATMENT, Purpose.TREATMENT, Purpose.RESEARCH, Purpose.OPERATIONS]
    return frozenset(rng.sample(several, rng.choice([1, 2, 3])))


def _actions(rng: Random, *, no_copy: bool) -> frozenset[Action]:
    if rng.random() < 0.7:
        found = set(rng.choice(list(Action)).ladder)
    else:
        found = set(rng.sample(list(Action), rng.randint(1, 4)))
    if no_copy:
        found -= {Action.DOWNLOAD, Action.SEND}
    return frozenset(found or {Action.DISCOVER})


def _obligations(rng: Random, *, permits: bool) -> frozenset[Obligation]:
    if not permits or rng.random() < 0.7:
        return frozenset()
    return frozenset(
        {rng.choice([Obligation.NO_DOWNLOAD, Obligation.DEIDENTIFY, Obligation.WATERMARK])}
    )


def _limits(both: Twice, rng: Random, patient: str) -> dict[str, frozenset[str]]:
    """Up to two axes, in the model's words."""
    own = [key for key, study in both.world.studies.items() if study.patient == patient]
    series = sorted(both.world.studies[rng.choice(own)].series)
    axes = {
        "studies": frozenset({rng.choice(own)}),
        "series": frozenset(series[: rng.choice([1, 2])]),
        "modalities": frozenset(rng.sample(["CT", "MR", "MG"], 1)),
        "regions": frozenset({rng.choice(["CHEST", "KNEE"])}),
        "performers": frozenset({rng.choice(["riverside", "hilltop"])}),
        "labels": frozenset({rng.choice(["mental", "genetic"])}),
    }
    chosen = rng.sample(sorted(axes), rng.choice([0, 0, 0, 1, 1, 2]))
    return {axis: axes[axis] for axis in chosen}


def _as_said(both: Twice, limits: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """The same as the form names it: studies by their UIDs."""
    words = {"regions": "body_regions", "performers": "performing_organizations"}
    found = {words.get(axis, axis): values for axis, values in limits.items()}
    if "studies" in found:
        found["studies"] = frozenset(both.studies[key].study_uid for key in found["studies"])
    return found


def _period(rng: Random) -> dict[str, date | None]:
    """Study dates covered: mostly all."""
    if rng.random() < 0.8:
        return {}
    day = (NOW + timedelta(days=rng.choice([-13, -12, -3, -2]))).date()
    return {rng.choice(["data_from", "data_until"]): day}


def _plain(values: frozenset[Any]) -> frozenset[str]:
    return frozenset(map(str, values))
