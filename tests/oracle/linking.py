"""Acts with links, and who came by one: a bearer is somebody else than all who have accounts."""

from dataclasses import dataclass
from random import Random

from sharing.consent.rules import Decision, GranteeKind
from sharing.consent.services import Said, Whom, record_consent
from sharing.exchange.services import LinkWanted, Made, bearer, make_link, revoke_link
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.rules import Actor
from tests.oracle import facts
from tests.oracle.doing import acting, clerk, home_of, one
from tests.oracle.region import DAY, Twice, noted, noted_grants

GIVERS = (("ada", "riverside"), ("rory", "riverside"), ("kim", "hilltop"), ("kim", "lakeside"))
CODE = "K7QM2XRD"


@dataclass
class LinkTwice:
    """A link on both sides: by whom it was made, and what opens it."""

    made: Made
    giver: tuple[str, str]
    asker: facts.Actor

    def actor(self, both: Twice) -> Actor | None:
        """Who bears it now; None when it has ended."""
        return bearer(self.made.link.public_id, at=both.at)


def lets_links(both: Twice, rng: Random) -> None:
    """A patient lets the custodian give links away."""
    patient, ends = rng.choice(["pat", "pat", "kid", "hil"]), both.at + rng.randint(1, 6) * DAY
    actions, purposes = frozenset(Action.RESHARE.ladder), frozenset({Purpose.TREATMENT})
    said = Said(
        decision=Decision.PERMIT, starts_at=both.at, ends_at=ends, purposes=purposes,
        actions=actions, others=(Whom(GranteeKind.LINK),),
        evidence=both.evidence(home_of(both, patient)),
    )  # fmt: skip
    by = clerk(both, patient)
    row = record_consent(patient=both.patients[patient], said=said, by=by, at=both.at)
    known = facts.Consent(
        patient, True, (facts.Whom("link"),), frozenset(map(str, purposes)),  # noqa: FBT003
        frozenset(map(str, actions)), both.at, ends, since=both.at,
    )  # fmt: skip
    noted(both, row, known)


def gives_a_link(both: Twice, rng: Random) -> None:
    """To one study, to look at or to keep."""
    key, home = rng.choice(GIVERS)
    own = [name for name, study in both.world.studies.items() if study.custodian == home]
    name = one(rng, own)
    actions = rng.choice([Action.IMAGES, Action.IMAGES, Action.DOWNLOAD]).ladder
    until = both.at + rng.randint(1, 5) * DAY
    wanted = LinkWanted(Purpose.TREATMENT, until, uses=3, actions=tuple(actions), code=CODE)
    made = make_link(
        subjects=[both.fresh(name).subject], wanted=wanted, by=acting(both, key, home), at=both.at
    )
    link = made.link.share.public_id
    noted_grants(both, made.link.share, facts.Grant(
        "", None, facts.Whom("link", link=link), str(Purpose.TREATMENT),
        frozenset(map(str, actions)), both.at, until,
    ))  # fmt: skip
    asker = facts.Actor("link", link, "", str(Purpose.TREATMENT))
    both.links.append(LinkTwice(made, (key, home), asker))


def ends_a_link(both: Twice, rng: Random) -> None:
    """At once, for whoever is inside too."""
    link = one(rng, both.links)
    key, home = link.giver
    revoke_link(public_id=link.made.link.public_id, by=acting(both, key, home), at=both.at)
    for grant in both.world.grants:
        if grant.whom.link == link.asker.key:
            grant.revoked = True
