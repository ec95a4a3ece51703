"""Of what and of whom a decision is: the study, and whoever is named, by value. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from sharing.audit.rules import What
from sharing.consent.rules import GranteeKind
from sharing.kernel.purposes import Purpose
from sharing.tenants.rules import Actor, ImplicitPolicy, Role


def no_series() -> frozenset[str]:
    """A study of which no series are known."""
    return frozenset()


@dataclass(frozen=True)
class Subject:
    """The study by value: access knows patients and organizations, never studies.

    `series` is asked only where a consent is limited to series. `policy` is the custodian's own
    implicit policy; None says what the region says.
    """

    custodian_id: int
    custodian: str
    patient_id: int
    patient: str
    study: str
    study_uid: str
    study_date: date | None = None
    modalities: frozenset[str] = frozenset()
    certain: bool = True
    body_regions: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    series: Callable[[], frozenset[str]] = field(default=no_series, compare=False)
    custodian_active: bool = True
    policy: ImplicitPolicy | None = None

    @property
    def what(self) -> What:
        """The study as the access log names it."""
        return What(
            custodian=self.custodian,
            patient=self.patient,
            study=self.study,
            study_uid=self.study_uid,
        )


@dataclass(frozen=True)
class Named:
    """A grantee of a consent or a grant; `members` are the people of a team at this moment.

    `link` is the one link that a grant was given away by. A consent names no link: it lets the
    custodian give links away, and carries what is given by them.
    """

    kind: GranteeKind
    organization_id: int | None = None
    user_id: int | None = None
    name: str = ""
    role: str = ""
    members: frozenset[int] = frozenset()
    link: str = ""

    def is_for(self, actor: Actor) -> bool:
        """Whether the actor is meant, by the membership of this moment."""
        if Role.BEARER in actor.roles:
            mine = self.kind == GranteeKind.LINK and self.link == actor.id != ""
            return mine or self.kind == GranteeKind.EVERYONE
        return self.kind == GranteeKind.EVERYONE or (self._here(actor) and self._means(actor))

    def _here(self, actor: Actor) -> bool:
        """Whether the actor acts for the organization, where one is named."""
        return self.organization_id in (None, actor.organization_id)

    def _means(self, actor: Actor) -> bool:
        if self.kind == GranteeKind.PRACTITIONER:
            return self.user_id == actor.user_id is not None
        if self.kind == GranteeKind.PROJECT and actor.purpose != Purpose.RESEARCH:
            return False
        if self.kind in (GranteeKind.TEAM, GranteeKind.PROJECT):
            return actor.user_id in self.members
        if self.kind == GranteeKind.ROLE:
            return self.role in actor.roles
        return self.kind == GranteeKind.ORGANIZATION
