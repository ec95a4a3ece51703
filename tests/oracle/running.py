"""Acts of running a region: people, teams, machines, policies, referrals, labels, time."""

from datetime import timedelta
from io import BytesIO
from random import Random

from sharing.access.models import Relationship
from sharing.access.services import (
    Tie,
    end_tie,
    expire_glasses,
    record_tie,
)
from sharing.audit.rules import SYSTEM
from sharing.consent.services import (
    expire_consents,
    lapse_consents,
)
from sharing.kernel.purposes import Purpose
from sharing.partners.services import revoke_token
from sharing.tenants.models import Membership, Organization, User
from sharing.tenants.rules import ImplicitPolicy, RegionSettings, Role
from sharing.tenants.services import (
    Terms,
    add_member,
    end_agreement,
    end_membership,
    join_team,
    leave_team,
    record_agreement,
    set_organization_policy,
    set_region,
)
from tests.cast import PDF
from tests.oracle import drawing, facts
from tests.oracle.doing import (
    acting,
    one,
)
from tests.oracle.model import POLICIES
from tests.oracle.region import (
    ADMINISTRATOR,
    DAY,
    HOMES,
    HOUR,
    OFFICER,
    Twice,
)


def joins_a_team(both: Twice, rng: Random) -> None:
    """Somebody of Hilltop."""
    kind, person = rng.choice(["care_team", "project"]), rng.choice(["ben", "rhea", "kim", "hal"])
    by = acting(both, "ines", "hilltop", "HOPERAT")
    join_team(team=both.teams[kind], user=both.users[person], by=by, at=both.at)
    both.world.teams[kind].members.add(person)


def leaves_a_team(both: Twice, rng: Random) -> None:
    """And no longer."""
    kind, person = rng.choice(["care_team", "project"]), rng.choice(["ben", "rhea", "kim", "hal"])
    by = acting(both, "ines", "hilltop", "HOPERAT")
    leave_team(team=both.teams[kind], user=both.users[person], by=by, at=both.at)
    both.world.teams[kind].members.discard(person)


def gains_a_role(both: Twice, rng: Random) -> None:
    """Here or elsewhere."""
    person, home = rng.choice(drawing.PEOPLE), rng.choice(HOMES)
    role = rng.choice([Role.PHYSICIAN, Role.RADIOLOGIST, Role.CLERK, Role.RESEARCHER])
    add_member(
        organization=both.homes[home], user=both.users[person], role=role, by=SYSTEM, at=both.at
    )
    both.world.people[person].roles.setdefault(home, set()).add(str(role))


def loses_a_role(both: Twice, rng: Random) -> None:
    """Ended by an administrator."""
    held = Membership.objects.filter(ended_at=None, organization__code__in=HOMES)
    row = one(rng, list(held.exclude(role=Role.ADMINISTRATOR).order_by("pk")))
    home, person = both.name_of(row.organization), both.name_of(row.user)
    by = acting(both, ADMINISTRATOR[home], home, "HOPERAT")
    end_membership(membership=row, by=by, at=both.at)
    both.world.people[person].roles[home].discard(row.role)


def account_closes_or_opens(both: Twice, rng: Random) -> None:
    """No service does it yet; a row is what an operator would change."""
    person = rng.choice(["ben", "kim", "cleo", "rory"])
    known = both.world.people[person]
    known.active = not known.active
    User.objects.filter(pk=both.users[person].pk).update(is_active=known.active)


def organization_rests_or_resumes(both: Twice, rng: Random) -> None:
    """No service does it yet; a row is what an operator would change."""
    home = rng.choice(HOMES)
    known = both.world.organizations[home]
    known.active = not known.active
    state = "active" if known.active else "suspended"
    Organization.objects.filter(pk=both.homes[home].pk).update(state=state)


def token_ends(both: Twice, rng: Random) -> None:
    """A machine's."""
    key = rng.choice(list(both.world.machines))
    revoke_token(secret=both.tokens[key], by=SYSTEM, at=both.at)
    both.world.machines[key].revoked = True
    both.tokens[key] = ""


def region_decides(both: Twice, rng: Random) -> None:
    """The implicit policy, and whether relationships count."""
    policy, implied = rng.choice(POLICIES), rng.random() < 0.6
    agreements = rng.random() < 0.3
    settings = RegionSettings(
        policy=ImplicitPolicy(policy), implied=implied, emergencies_a_day=9, agreements=agreements
    )
    set_region(settings=settings, by=acting(both, "otto", "operator", "HOPERAT"), at=both.at)
    both.world.policy, both.world.implied = policy, implied
    both.world.demands_agreements = agreements


def two_agree(both: Twice, rng: Random) -> None:
    """A paper that two organizations signed."""
    provider, recipient = rng.sample(HOMES, 2)
    purposes = frozenset(rng.sample([Purpose.TREATMENT, Purpose.OPERATIONS, Purpose.RESEARCH], 2))
    modalities = frozenset(rng.choice([[], [], ["CT"], ["MR", "MG"]]))
    ends = both.at + rng.randint(1, 6) * DAY
    terms = Terms(
        both.homes[provider], both.homes[recipient], purposes, both.at, ends, "Ann", "Bob",
        modalities,
    )  # fmt: skip
    by = acting(both, "otto", "operator", "HOPERAT")
    row = record_agreement(terms=terms, document=BytesIO(PDF), name="a.pdf", by=by, at=both.at)
    known = facts.Agreement(
        provider, recipient, frozenset(map(str, purposes)), modalities, both.at, ends
    )
    both.agreements[row.public_id] = known
    both.world.agreements.append(known)


def an_agreement_ends(both: Twice, rng: Random) -> None:
    """Before its time."""
    name = one(rng, list(both.agreements))
    by = acting(both, "otto", "operator", "HOPERAT")
    end_agreement(public_id=name, why="No longer needed.", by=by, at=both.at)
    both.agreements[name].ends = both.at


def organization_tightens(both: Twice, rng: Random) -> None:
    """Or takes that back."""
    home, policy = rng.choice(HOMES), rng.choice(["", *POLICIES])
    by = acting(both, OFFICER[home], home, "HOPERAT")
    chosen = ImplicitPolicy(policy) if policy else None
    set_organization_policy(policy=chosen, by=by, at=both.at)
    both.world.organizations[home].policy = policy


def somebody_is_tied(both: Twice, rng: Random) -> None:
    """A referrer or a consult of one study, or a transfer of all of the patient's."""
    name, home = rng.choice(["chest", "head", "knee", "found"]), rng.choice(["hilltop", "lakeside"])
    person = rng.choice([None, "ben", "kim"])
    kind = rng.choice(["referrer", "consult", "transfer"])
    study = None if kind == "transfer" else name
    ends = both.at + rng.randint(1, 4) * DAY
    tie = Tie(
        kind=Relationship.Kind(kind), patient=both.studies[name].patient,
        organization=both.homes[home], until=ends, reason=both.words("Came by.", "riverside"),
        person=both.users[person] if person else None,
        study_uid=both.studies[name].study_uid if study else "",
    )  # fmt: skip
    key, purpose = ("rory", "TREAT") if kind == "consult" else ("mei", "HOPERAT")
    by = acting(both, key, "riverside", purpose)
    row = record_tie(tie=tie, by=by, at=both.at)
    patient = both.world.studies[name].patient
    known = facts.Tie(patient, study, home, person or "", both.at, ends)
    both.ties[row.public_id] = known
    both.world.ties.append(known)


def a_tie_ends(both: Twice, rng: Random) -> None:
    """Before its time."""
    name = one(rng, list(both.ties))
    key, purpose = rng.choice([("mei", "HOPERAT"), ("rory", "TREAT")])
    by = acting(both, key, "riverside", purpose)
    end_tie(public_id=name, why="Over.", by=by, at=both.at)
    both.ties[name].ends = both.at


def label_changes(both: Twice, rng: Random) -> None:
    """No service sets one yet: a row."""
    name = rng.choice(list(both.studies))
    labels = rng.choice([frozenset(), frozenset({"mental"}), frozenset({"genetic"})])
    column = "".join(["|", *(f"{label}|" for label in labels)])
    type(both.studies[name]).objects.filter(pk=both.studies[name].pk).update(labels=column)
    both.world.studies[name].labels = labels


def time_passes(both: Twice, rng: Random) -> None:
    """Some hours or days; or to the very moment at which something ends."""
    edges = [c.ends for c in both.world.consents] + [g.ends for g in both.world.grants]
    edges += [g.ends for g in both.world.glasses] + [p.known.until for p in both.proxies]
    ahead = sorted({edge for edge in edges if edge is not None and edge > both.at})
    if ahead and rng.random() < 0.5:
        both.at = ahead[0] - rng.choice([timedelta(0), timedelta(microseconds=1)])
    else:
        both.at += rng.choice([HOUR, 5 * HOUR, DAY, 2 * DAY])
    if rng.random() < 0.5:
        expire_consents(at=both.at)
        lapse_consents(at=both.at)
        expire_glasses(at=both.at)
