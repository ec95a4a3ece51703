"""Varied histories: what may happen to a patient's studies, drawn at random, step after step."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from sharing.access.errors import NotCovered, ShareInvalid
from sharing.access.models import Glass, Share
from sharing.access.rules import GlassReason
from sharing.access.services import Emergency, break_glass, end_glass, revoke_share, share
from sharing.archive.models import Study
from sharing.archive.rules import Why
from sharing.archive.services.labels import add_label
from sharing.archive.services.removing import delete_study
from sharing.audit.rules import SYSTEM
from sharing.consent.models import Consent, Proxy
from sharing.consent.rules import GranteeKind, Performer, Verification
from sharing.consent.services import (
    Told,
    Whom,
    amend_consent,
    end_proxy,
    exclude_person,
    expire_consents,
    lapse_consents,
    name_proxy,
    opt_out,
    revoke_consent,
    said_by,
)
from sharing.identity.services import PatientName
from sharing.kernel.errors import DomainError
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.kernel.sensitivity import Label
from sharing.tenants.models import Agreement, Team
from sharing.tenants.rules import Actor, ImplicitPolicy, RegionSettings, Role
from sharing.tenants.services import (
    Terms,
    add_member,
    end_agreement,
    end_membership,
    found_team,
    join_team,
    leave_team,
    record_agreement,
    set_organization_policy,
    set_region,
)
from tests.cast import PDF, Region

DAY = timedelta(days=1)
SPOKEN = Told(verification=Verification.VERBAL, witness="Olga Weiss")
ALL = frozenset({*Action.DOWNLOAD.ladder, Action.RESHARE})
REFUSALS = (DomainError, NotCovered, ShareInvalid)


class History:
    """One region, and what happens in it."""

    def __init__(self, world: Region) -> None:
        self.world = world
        admin = world.admin.actor
        self.manager: Actor = replace(
            admin, organization_id=world.hilltop.pk, organization_code="hilltop"
        )
        self.operator: Actor = replace(admin, roles=frozenset({Role.OPERATOR}))

    def step(self, name: str, at: datetime) -> None:
        """One act; what the portal refuses does not happen."""
        self.world.at = at
        there = self.world.ben.user.memberships.filter(ended_at=None).exists()
        if there or "glass" not in name:
            with suppress(*REFUSALS):
                getattr(self, name)(at)

    def permit(self, at: datetime) -> None:
        self.world.permit(actions=ALL, ends_at=at + 2 * timedelta(hours=1))

    def permit_custodian(self, at: datetime) -> None:
        self.world.permit(organizations=(), named_by_custodian=True, actions=ALL)

    def permit_team(self, at: datetime) -> None:
        whom = (Whom(GranteeKind.TEAM, team=self._team(at)),)
        self.world.permit(organizations=(), others=whom)

    def permit_ct(self, at: datetime) -> None:
        self.world.permit(modalities=frozenset({"CT"}))

    def permit_twice(self, at: datetime) -> None:
        self.world.permit(maximum_uses=2)

    def permit_marked(self, at: datetime) -> None:
        self.world.permit(actions=ALL, obligations=frozenset({Obligation.WATERMARK}))

    def permit_by_proxy(self, at: datetime) -> None:
        proxy = name_proxy(
            patient=self.world.pat, relation=Performer.REPRESENTATIVE, name="Rep",
            document="Court order", starts_at=at, ends_at=at + 90 * DAY,
            by=self.world.mei.actor, at=at,
        )  # fmt: skip
        self.world.permit(performer=Performer.REPRESENTATIVE, proxy=proxy)

    def end_proxy(self, at: datetime) -> None:
        for proxy in Proxy.objects.filter(ends_at__gt=at)[:1]:
            end_proxy(proxy=proxy, by=self.world.mei.actor, why="Able again.", at=at)

    def deny(self, at: datetime) -> None:
        self.world.deny()

    def opt_out(self, at: datetime) -> None:
        opt_out(patient=self.world.pat, told=SPOKEN, by=self.world.mei.actor, at=at)

    def exclude_ben(self, at: datetime) -> None:
        exclude_person(
            patient=self.world.pat, user=self.world.ben.user, told=SPOKEN,
            by=self.world.mei.actor, at=at,
        )  # fmt: skip

    def revoke(self, at: datetime) -> None:
        consent = Consent.objects.filter(state="active").order_by("pk").first()
        if consent is not None:
            revoke_consent(consent=consent, by=self.world.mei.actor, why="Asked.", at=at)

    def amend(self, at: datetime) -> None:
        consent = Consent.objects.filter(state="active", decision="permit").order_by("-pk").first()
        if consent is not None:
            looking = frozenset(Action.IMAGES.ladder)
            said = replace(said_by(consent), actions=looking, starts_at=at, ends_at=at + 9 * DAY)
            said = replace(said, verification=Verification.VERBAL, witness="Olga Weiss")
            amend_consent(consent=consent, said=said, by=self.world.mei.actor, at=at)

    def keep_books(self, at: datetime) -> None:
        expire_consents(at=at)
        lapse_consents(at=at)

    def share(self, at: datetime) -> None:
        self._share(at, person=None)

    def share_with_ben(self, at: datetime) -> None:
        self._share(at, person=self.world.ben.user, standing=True)

    def share_with_team(self, at: datetime) -> None:
        self._share(at, team=self._team(at))

    def _share(self, at: datetime, **more: Any) -> None:
        share(
            subjects=[study.subject for study in Study.objects.with_owners()],
            to=self.world.hilltop, purpose=Purpose.TREATMENT, until=at + 5 * DAY, note="",
            by=self.world.ada.actor, at=at, **more,
        )  # fmt: skip

    def end_share(self, at: datetime) -> None:
        made = Share.objects.filter(grants__revoked_at=None).order_by("pk").first()
        if made is not None:
            revoke_share(public_id=made.public_id, by=self.world.ada.actor, at=at)

    def ben_leaves(self, at: datetime) -> None:
        row = self.world.ben.user.memberships.filter(ended_at=None).first()
        if row is not None:
            end_membership(membership=row, by=self.manager, at=at)

    def ben_comes_back(self, at: datetime) -> None:
        ben = self.world.ben
        add_member(
            organization=ben.organization, user=ben.user, role=Role.PHYSICIAN, by=SYSTEM, at=at
        )

    def join_team(self, at: datetime) -> None:
        join_team(team=self._team(at), user=self.world.ben.user, by=self.manager, at=at)

    def leave_team(self, at: datetime) -> None:
        leave_team(team=self._team(at), user=self.world.ben.user, by=self.manager, at=at)

    def _team(self, at: datetime) -> Team:
        known = Team.objects.filter(ended_at=None).first()
        return known or found_team(kind="care_team", name="Chest", by=self.manager, at=at)

    def open_region(self, at: datetime) -> None:
        settings = RegionSettings(policy=ImplicitPolicy.TREATING)
        set_region(settings=settings, by=self.operator, at=at)

    def close_region(self, at: datetime) -> None:
        set_region(settings=RegionSettings(), by=self.operator, at=at)

    def tighten(self, at: datetime) -> None:
        set_organization_policy(policy=ImplicitPolicy.DENY, by=self.world.olga.actor, at=at)

    def loosen(self, at: datetime) -> None:
        set_organization_policy(policy=None, by=self.world.olga.actor, at=at)

    def break_glass(self, at: datetime) -> None:
        pat = self.world.pat
        words = "Road accident, GCS 9, chest trauma."
        name = PatientName(pat.issuer, pat.identifier, pat.birth_date)
        said = Emergency(name, GlassReason.LIFE, words, 1, attested=True, proven=True)
        break_glass(emergency=said, by=self.world.ben.actor, at=at)

    def end_glass(self, at: datetime) -> None:
        for glass in Glass.objects.filter(state="open")[:1]:
            end_glass(public_id=glass.public_id, by=self.world.ben.actor, at=at)

    def label(self, at: datetime) -> None:
        study = Study.objects.order_by("pk").first()
        if study is not None:
            add_label(
                self.world.ada.actor, public_id=study.public_id, label=Label.PSYCHIATRY,
                reason="Said so.", at=at,
            )  # fmt: skip

    def demand_agreements(self, at: datetime) -> None:
        set_region(settings=RegionSettings(agreements=True), by=self.operator, at=at)

    def agree(self, at: datetime) -> None:
        terms = Terms(
            self.world.riverside, self.world.hilltop, frozenset({Purpose.TREATMENT}), at,
            at + DAY, "Ada Brandt", "Ben Hartley",
        )  # fmt: skip
        record_agreement(terms=terms, document=BytesIO(PDF), name="a.pdf", by=self.operator, at=at)

    def end_agreement(self, at: datetime) -> None:
        for each in Agreement.objects.filter(ended_at=None)[:1]:
            end_agreement(public_id=each.public_id, why="Over.", by=self.operator, at=at)

    def delete(self, at: datetime) -> None:
        study = Study.objects.order_by("-pk").first()
        if study is not None and Study.objects.count() > 1:
            delete_study(self.world.olga.actor, public_id=study.public_id, why=Why.MISTAKE, at=at)


ACTS = tuple(name for name in vars(History) if not name.startswith("_") and name != "step")
