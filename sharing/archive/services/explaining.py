"""May somebody do this to that study at a moment, and why: for those who may know."""

from dataclasses import dataclass, replace
from datetime import datetime

from sharing.access.rules import Explanation
from sharing.access.services import explain_access
from sharing.archive.errors import StudyNotFound
from sharing.archive.models import Study
from sharing.audit.rules import Who
from sharing.kernel import scope
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.models import User
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import actor_at

from .finding import open_study
from .past import subject_at

KNOWING = (Duty.READ_LOG, Duty.RECORD_CONSENT)
"""Whose work it is to answer for who may see the own studies."""


@dataclass(frozen=True)
class Wanted:
    """About whom: a person acting for an organization, for a purpose; and doing what, when."""

    action: Action
    moment: datetime
    person: str = ""
    organization: str = ""
    purpose: Purpose = Purpose.TREATMENT


@dataclass(frozen=True)
class Explained:
    """The answer, about which study and whom; `whole`: the reader may know what would help."""

    study: Study
    actor: Actor
    wanted: Wanted
    explanation: Explanation
    whole: bool


@scope.as_house()  # what held at another moment may be no tie any more
def explain_study(
    by: Actor, *, public_id: str, wanted: Wanted, at: datetime, request_id: str = ""
) -> Explained:
    """Why, or why not. About others only the custodian's own privacy officer or clerk may ask.

    Nobody's second factor is known before they sign in: of others it is taken as used. Raises
    StudyNotFound, the same for what is hidden, for whom it is not to know, and for a person who
    acted for nobody there at that moment.
    """
    study = open_study(by, public_id=public_id, at=at, request_id=request_id).study
    whole = _answers_for(by, study)
    if not whole:  # what a patient said of the time to come is the custodian's to know
        wanted = replace(wanted, moment=min(wanted.moment, at))
    subject = subject_at(study.subject.what, at=wanted.moment)
    actor = _asked_about(by, study, wanted, at)
    if actor is None or subject is None:
        raise StudyNotFound()
    explanation = explain_access(actor, wanted.action, subject, moment=wanted.moment, at=at)
    if not whole:
        explanation = replace(explanation, ways=())
    return Explained(study, actor, wanted, explanation, whole)


def may_explain(by: Actor, study: Study) -> bool:
    """Whether the actor may ask about others."""
    return _answers_for(by, study)


def _answers_for(by: Actor, study: Study) -> bool:
    own = study.organization_id == by.organization_id
    return own and any(by.may(duty) for duty in KNOWING)


def _asked_about(by: Actor, study: Study, wanted: Wanted, at: datetime) -> Actor | None:
    moment = min(wanted.moment, at)  # who somebody will be then is not known
    if not wanted.person or wanted.person == by.id:
        return by if wanted.moment >= at else actor_at(by.who, at=moment, assured=by.assured)
    if not _answers_for(by, study):
        return None
    person = User.objects.filter(public_id=wanted.person).first()
    if person is None:
        return None
    who = Who("user", wanted.person, person.name, wanted.organization, "", wanted.purpose)
    return actor_at(who, at=moment)
