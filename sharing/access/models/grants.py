"""Shares, and the grants that they made: the grant's row is the only truth about a share.

Nothing is copied out of it: whether it reaches a study is asked at each access, here by `live`
and `meaning`, in `rules.GrantFacts` by `speaks_of`.
"""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from sharing.consent.rules import GranteeKind
from sharing.identity.models import Patient
from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization, Team, TeamMember, User
from sharing.tenants.rules import Actor, OrganizationState, Role


class Share(models.Model):
    """One act of sharing: who, with whom, why, until when, with which words.

    `shared_for` is the organization that the sharer acted for: the custodian, or one to whom the
    custodian's share gave the right to share on. A renewal is a share of its own, which `renews`
    an earlier one and leaves its rows as they are. `album` names the one that it was made by, for
    the sentence that gives the reason; such a share ends with it, and is not renewed by itself.
    """

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    custodian = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="shares")
    shared_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="shares")
    shared_for = models.ForeignKey(
        Organization, null=True, on_delete=models.PROTECT, related_name="+"
    )
    to_organization = models.ForeignKey(
        Organization, null=True, on_delete=models.PROTECT, related_name="shares_received"
    )
    to_user = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="shares_received"
    )
    to_team = models.ForeignKey(
        Team, null=True, on_delete=models.PROTECT, related_name="shares_received"
    )
    purpose = models.CharField(max_length=10)
    note = models.CharField(max_length=1000, blank=True)
    album = models.CharField(max_length=120, blank=True, default="", db_default="")
    shared_at = models.DateTimeField()
    renews = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="renewed_by"
    )

    @property
    def is_renewed(self) -> bool:
        """Whether a later share goes on where this one ends; select `renewed_by` along."""
        return hasattr(self, "renewed_by")


class GrantQuerySet(models.QuerySet["Grant"]):
    """Which grants live."""

    def live(self, at: datetime) -> "GrantQuerySet":
        """Begun, not ended, not revoked, and not left without its review."""
        reviewed = Q(review_by=None) | Q(review_by__gt=at)
        return self.filter(reviewed, starts_at__lte=at, ends_at__gt=at, revoked_at=None)

    def unended(self, at: datetime) -> "GrantQuerySet":
        """Neither over nor revoked: they live, or rest without their review."""
        return self.filter(ends_at__gt=at, revoked_at=None)

    def with_whom(self) -> "GrantQuerySet":
        """With their shares, and whom they were given to."""
        return self.select_related("share__shared_by", "organization", "user", "team")

    def coming_through(self) -> "GrantQuerySet":
        """Those that no organization passed on which is not active now: it shares nothing."""
        passed = PassedOn.objects.filter(grant=OuterRef("pk"))
        return self.filter(~Exists(passed.exclude(organization__state=OrganizationState.ACTIVE)))

    def meaning(self, actor: Actor) -> "GrantQuerySet":
        """Those given to the actor's organization as a whole, to the actor or a team there.

        Who comes by a link is none of its people, and bears that one.
        """
        if Role.BEARER in actor.roles:
            return self.filter(grantee_kind=GranteeKind.LINK, share__public_id=actor.id)
        here = Q(organization_id=actor.organization_id)
        whom = Q(here, grantee_kind=GranteeKind.ORGANIZATION)
        if actor.user_id is not None:
            person = Q(grantee_kind=GranteeKind.PRACTITIONER, user_id=actor.user_id)
            whom |= person & (here | Q(organization=None))
            whom |= Q(grantee_kind=GranteeKind.TEAM) & Q(_in_team(actor, actor.user_id))
        return self.filter(whom)

    def about(self, *, custodian: Any, patient: Any, study_uid: Any) -> "GrantQuerySet":
        """Those on one study, by name or with all the patient's studies."""
        named = Q(study_uid=study_uid) | Q(study_uid="")
        return self.filter(named, custodian=custodian, patient=patient)


def _in_team(actor: Actor, user_id: int) -> Exists:
    """Whether the actor is in the grant's team at this moment, acting for its organization."""
    return Exists(
        TeamMember.objects.filter(
            team=OuterRef("team"),
            user_id=user_id,
            ended_at=None,
            team__organization_id=actor.organization_id,
        )
    )


class Grant(models.Model):
    """What a grantee may do because of a share, while a consent carries it.

    Of one study, or, where `study_uid` is blank, of all that the custodian holds and will hold of
    the patient: a standing grant, which ends by itself when nobody reviews it. `parent` is the
    grant out of which this one was shared on.
    """

    share = models.ForeignKey(Share, on_delete=models.PROTECT, related_name="grants")
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    custodian = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    study_uid = models.CharField(max_length=64, blank=True)
    grantee_kind = models.CharField(max_length=20)
    organization = models.ForeignKey(
        Organization, null=True, on_delete=models.PROTECT, related_name="+"
    )
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=10)
    actions = models.CharField(max_length=120)  # |discover|report|images|
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    review_by = models.DateTimeField(null=True)
    # Shared on: when the custodian's own share was made out of which it came in the end.
    rooted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="grant_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(
                name="a_standing_grant_is_reviewed",
                condition=~Q(study_uid="") | Q(review_by__isnull=False),
            ),
            models.CheckConstraint(
                name="a_grant_to_a_team_names_the_team",
                condition=Q(grantee_kind=GranteeKind.TEAM.value, team__isnull=False)
                | (~Q(grantee_kind=GranteeKind.TEAM.value) & Q(team=None)),
            ),
            models.UniqueConstraint(
                fields=["share", "patient", "study_uid"], name="a_share_grants_a_study_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["custodian", "study_uid", "organization"], name="grants_of_a_study"
            ),
            models.Index(fields=["patient", "custodian"], name="grants_of_a_patient"),
        ]

    @property
    def root(self) -> datetime:
        """The moment at which a consent must have let the custodian share."""
        return self.rooted_at or self.starts_at

    @property
    def action_set(self) -> frozenset[str]:
        """The actions it gives."""
        return frozenset(self.actions.strip("|").split("|"))


class PassedOn(models.Model):
    """That a grant came through this organization: one row for each, down from the custodian's."""

    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="passed_on")
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["grant", "organization"], name="a_grant_comes_through_each_once"
            ),
        ]
