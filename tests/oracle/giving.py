"""Acts by which somebody comes to see: shares, requests, emergencies; and their ends."""

from random import Random

from sharing.access.models import Glass, Grant, Review, Share
from sharing.access.rules import GlassReason
from sharing.access.services import (
    Emergency,
    approve_request,
    ask_access,
    break_glass,
    cut_glass,
    end_glass,
    revoke_share,
    share,
)
from sharing.identity.services import PatientName
from sharing.kernel.purposes import Action, Purpose
from tests.oracle import facts
from tests.oracle.doing import (
    acting,
    home_of,
    note_share,
    one,
)
from tests.oracle.region import (
    DAY,
    HOMES,
    HOUR,
    OFFICER,
    Twice,
)

SHARERS = (
    ("ada", "riverside"), ("rory", "riverside"), ("kim", "hilltop"), ("ben", "hilltop"),
    ("kim", "lakeside"), ("cleo", "lakeside"),
)  # fmt: skip


def shares(both: Twice, rng: Random) -> None:
    """Studies of one custodian with an organization or with somebody there."""
    key, home = rng.choice(SHARERS)
    names = _shareable(both, rng, home)
    there = rng.choice(HOMES)
    person = rng.choice([None, None, "ben", "kim", "cleo", "rhea"])
    actions = set(rng.choice([Action.IMAGES, Action.RESHARE]).ladder)
    made = share(
        subjects=[both.fresh(name).subject for name in names],
        to=both.homes[there],
        purpose=rng.choice([Purpose.TREATMENT] * 7 + [Purpose.OPERATIONS]),
        until=both.at + rng.randint(1, 5) * DAY,
        note=both.words("As discussed.", home, there, both.world.studies[names[0]].custodian),
        by=acting(both, key, home),
        at=both.at,
        actions=sorted(actions),
        person=both.users[person] if person else None,
        standing=rng.random() < 0.3,
    )
    note_share(both, made, there, person, actions)


def _shareable(both: Twice, rng: Random, home: str) -> list[str]:
    """What the sharer's organization holds, or was given to share on."""
    given = [g for g in both.world.grants if g.whom.organization == home and "reshare" in g.actions]
    if given and rng.random() < 0.6:
        grant = rng.choice(given)
        of_patient = [
            k for k, study in both.world.studies.items() if study.patient == grant.patient
        ]
        return [grant.study or rng.choice(of_patient)]
    own = [k for k, study in both.world.studies.items() if study.custodian == home]
    if not own or rng.random() < 0.1:
        own = list(both.studies)
    return rng.sample(own, 1 if rng.random() < 0.7 else min(2, len(own)))


def asks_and_gets(both: Twice, rng: Random) -> None:
    """Ben asks for a patient's studies; Ada answers with a share."""
    asked = ask_access(
        custodian=both.homes["riverside"], identifier=both.patients["pat"].identifier,
        birth_date=both.patients["pat"].birth_date,
        reason=both.words("Second opinion.", "riverside", person="ben"),
        by=acting(both, "ben", "hilltop"), at=both.at,
    )  # fmt: skip
    answered = approve_request(
        public_id=asked.public_id, subjects=[both.fresh("chest").subject],
        until=both.at + 3 * DAY, by=acting(both, "ada", "riverside"), at=both.at,
    )  # fmt: skip
    looks = {Action.DISCOVER, Action.REPORT, Action.IMAGES}
    note_share(both, answered.share, "hilltop", "ben", looks)


def ends_a_share(both: Twice, rng: Random) -> None:
    """And whatever was shared on out of it."""
    made = one(rng, list(Share.objects.order_by("pk")))
    key, home = rng.choice(SHARERS)
    revoke_share(public_id=made.public_id, by=acting(both, key, home), at=both.at)
    for row in Grant.objects.filter(share=made):
        both.grants[row.pk].revoked = True


def breaks_the_glass(both: Twice, rng: Random) -> None:
    """Somebody who treats can't wait for a consent."""
    key, home = rng.choice([*SHARERS, ("hal", "hilltop"), ("tom", "riverside")])
    patient = rng.choice(["pat", "pat", "kid", "hil", "doe"])
    row = both.patients[patient]
    hours = rng.choice([1, 4])
    emergency = Emergency(
        patient=PatientName(row.issuer, row.identifier, row.birth_date),
        reason=GlassReason.LIFE,
        words=both.words("Unconscious after a fall.", home, home_of(both, patient), person=key),
        hours=hours,
        attested=True,
        proven=True,
    )
    glass = break_glass(emergency=emergency, by=acting(both, key, home), at=both.at)
    known = frozenset({patient}) if both.world.patients[patient].certain else frozenset()
    opened = facts.Glass(key, home, known, both.at, both.at + hours * HOUR)
    both.glasses[glass.pk] = opened
    both.world.glasses.append(opened)


def ends_an_emergency(both: Twice, rng: Random) -> None:
    """By its own person, or by a privacy officer of the custodian."""
    glass = Glass.objects.get(pk=one(rng, list(both.glasses)))
    opened = both.glasses[glass.pk]
    review = Review.objects.filter(glass=glass).select_related("organization").first()
    if review is not None and rng.random() < 0.5:
        home = both.name_of(review.organization)
        by = acting(both, OFFICER[home], home, "HOPERAT")
        cut_glass(review_id=review.public_id, by=by, at=both.at)
    else:
        by = acting(both, opened.person, opened.organization)
        end_glass(public_id=glass.public_id, by=by, at=both.at)
    opened.over = True
