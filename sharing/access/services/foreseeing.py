"""What a share is to give, and what it would change: asked before anybody says yes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sharing.access.coverage import NOT_TOLD, missing
from sharing.access.rules import Ask, Decision, Facts, GrantFacts, Named, Subject, decide
from sharing.consent.rules import GranteeKind
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.models import Organization, Team, User
from sharing.tenants.rules import Actor, Role
from sharing.tenants.services import actor_for_link, treating_members

from .deciding import physician_of
from .on_file import facts_on_file

SHARED_ACTIONS = (Action.DISCOVER, Action.REPORT, Action.IMAGES)
ASKED_OF_TEAM = 5
"""So many of a team a preview asks for: it is possible when it is for one of them."""


@dataclass(frozen=True)
class Wanted:
    """What a share is to give, and to whom: a whole organization, a team or one person there, or
    with `link` whoever comes by the link of that name.

    `standing`: all of the patient's studies, also those that come later. `album`: the name of the
    one that it is given by.
    """

    to: Organization | None
    purpose: Purpose
    until: datetime
    actions: tuple[Action, ...] = SHARED_ACTIONS
    person: User | None = None
    standing: bool = False
    team: Team | None = None
    link: str = ""
    album: str = ""

    @property
    def grantee(self) -> Named:
        """The one who is meant."""
        if self.to is None:
            return Named(GranteeKind.LINK, link=self.link)
        if self.person is not None:
            return Named(
                GranteeKind.PRACTITIONER, self.to.pk, self.person.pk, name=self.person.name
            )
        if self.team is not None:
            members = frozenset(user.pk for user in treating_members(self.team))
            return Named(GranteeKind.TEAM, self.to.pk, name=self.team.name, members=members)
        return Named(GranteeKind.ORGANIZATION, self.to.pk, name=self.to.name)

    @property
    def askers(self) -> list[Actor]:
        """Whom a preview asks for: the person, those of the team, or anybody there who treats."""
        roles = frozenset({Role.PHYSICIAN, Role.RADIOLOGIST})
        if self.to is None:
            return [actor_for_link(link=self.link, given_by="", purpose=self.purpose)]
        people: list[User | None] = [self.person]
        if self.team is not None:
            people = list(treating_members(self.team)[:ASKED_OF_TEAM]) or people
        return [physician_of(self.to, self.purpose, roles=roles, user=each) for each in people]


@dataclass(frozen=True)
class Preview:
    """What a share would change for one study; `missing` says in words why it can't be."""

    subject: Subject
    before: Decision
    after: Decision
    missing: str = ""

    def told_to(self, organization_id: int) -> "Preview":
        """As that organization may know it. Who shares on learns whether, and not why not, nor who
        sees it already: what a patient said to the custodian is the custodian's to know.
        """
        if organization_id == self.subject.custodian_id:
            return self
        missing = NOT_TOLD if self.missing else ""
        return replace(self, before=replace(self.before, allowed=False), missing=missing)


def preview_share(
    *,
    subjects: Sequence[Subject],
    to: Organization,
    purpose: Purpose,
    until: datetime,
    by: int,
    at: datetime,
    actions: Sequence[Action] = SHARED_ACTIONS,
    person: User | None = None,
    team: Team | None = None,
    facts: Facts | None = None,
) -> list[Preview]:
    """What a physician of `to` may do with these studies now, and could after the share.

    `after` is about the first of the actions that would be refused, else about the strongest.
    `by` is the organization that would share. `facts` are those on file, for who asks more than
    once.
    """
    wanted = Wanted(to, purpose, until, tuple(actions), person, team=team)
    return foresee(subjects, wanted, at, facts, by=by)


def foresee(
    subjects: Sequence[Subject],
    wanted: Wanted,
    at: datetime,
    facts: Facts | None = None,
    *,
    by: int,
) -> list[Preview]:
    """The same, of whatever is wanted."""
    facts = facts or facts_on_file(subjects)
    imagined = tuple(_imagined(subject, wanted, at) for subject in subjects)
    richer = replace(facts, grants=facts.grants + imagined)
    found = (_foreseen(subject, wanted, facts, richer, at) for subject in subjects)
    return [preview.told_to(by) for preview in found]


def _foreseen(
    subject: Subject, wanted: Wanted, facts: Facts, richer: Facts, at: datetime
) -> Preview:
    """The first of those asked for to whom it opens, or the last to whom it does not."""
    for asker in wanted.askers:
        found = _foreseen_for(asker, subject, wanted, facts, richer, at)
        if found.after.allowed:
            break
    return found


def _foreseen_for(
    asker: Actor, subject: Subject, wanted: Wanted, facts: Facts, richer: Facts, at: datetime
) -> Preview:
    asks = [Ask(asker, action, subject, at) for action in wanted.actions]
    before = decide(asks[-1], facts)
    for ask in asks:
        after = decide(ask, richer)
        if not after.allowed:
            return Preview(subject, before, after, missing(ask, richer))
    return Preview(subject, before, after)


def _imagined(subject: Subject, wanted: Wanted, at: datetime) -> GrantFacts:
    return GrantFacts(
        key="",
        custodian_id=subject.custodian_id,
        patient_id=subject.patient_id,
        study_uid=subject.study_uid,
        grantee=wanted.grantee,
        purpose=wanted.purpose,
        actions=frozenset(wanted.actions),
        starts_at=at,
        ends_at=wanted.until,
        shared_by="",
        album=wanted.album,
    )
