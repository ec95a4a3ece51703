"""Albums: a named selection of studies, and with whom it is. Neither opens anything by itself.

What a member may see stands in the grants of `access`, one for each study and member that a consent
covers; `AlbumGrant` says which are the album's, so that they end with it. Studies are named by
value: one that its custodian removed is not there any more.
"""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import F, Q

from sharing.access.models import Grant
from sharing.identity.models import Patient
from sharing.kernel.purposes import Action, Purpose
from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization, Team, User

_PRESENT = Q(left_at=None)


class AlbumQuerySet(models.QuerySet["Album"]):
    """Which albums are open."""

    def open(self, at: datetime) -> "AlbumQuerySet":
        """Not closed, and not at their end."""
        return self.filter(closed_at=None, ends_at__gt=at)


class Album(models.Model):
    """One selection, for one purpose, until one day. Its name never changes: reasons repeat it."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="albums")
    name = models.CharField(max_length=120)
    note = models.CharField(max_length=1000, blank=True)
    purpose = models.CharField(max_length=10)
    actions = models.CharField(max_length=120)  # |discover|report|images|
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=120, blank=True)

    objects = AlbumQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="an_album_ends_after_it_is_made", condition=Q(ends_at__gt=F("made_at"))
            ),
            models.CheckConstraint(
                name="a_closed_album_says_by_whom",
                condition=Q(closed_at=None, closed_by="")
                | (Q(closed_at__isnull=False) & ~Q(closed_by="")),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def for_purpose(self) -> Purpose:
        """For what its members look."""
        return Purpose(self.purpose)

    @property
    def action_list(self) -> tuple[Action, ...]:
        """What they may do, from the weakest on."""
        given = self.actions.strip("|").split("|")
        return tuple(action for action in Action if action in given)


class AlbumMember(models.Model):
    """A person or a department at an organization, or all who treat there. `owner` has the album.

    Who leaves and comes again is a new row: what the old one was given stays ended.
    """

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    album = models.ForeignKey(Album, on_delete=models.PROTECT, related_name="members")
    owner = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="an_organization_is_in_an_album_once",
                fields=["album", "organization"],
                condition=_PRESENT & Q(user=None, team=None),
            ),
            models.UniqueConstraint(
                name="a_person_is_in_an_album_once",
                fields=["album", "organization", "user"],
                condition=_PRESENT & Q(user__isnull=False),
            ),
            models.UniqueConstraint(
                name="a_department_is_in_an_album_once",
                fields=["album", "team"],
                condition=_PRESENT & Q(team__isnull=False),
            ),
            models.CheckConstraint(
                name="a_member_is_a_person_or_a_department", condition=Q(user=None) | Q(team=None)
            ),
        ]

    @property
    def whom(self) -> Any:
        """The one that is meant, who has a name."""
        return self.user or self.team or self.organization


class AlbumStudy(models.Model):
    """A study in an album. One that was taken out and put in again is a new row."""

    album = models.ForeignKey(Album, on_delete=models.PROTECT, related_name="studies")
    custodian = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    study_uid = models.CharField(max_length=64)
    added_by = models.CharField(max_length=120)
    added_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "album studies"
        constraints = [
            models.UniqueConstraint(
                name="a_study_is_in_an_album_once",
                fields=["album", "custodian", "study_uid"],
                condition=_PRESENT,
            ),
        ]


class AlbumGrant(models.Model):
    """A grant that a study in an album made for one of its members."""

    grant = models.OneToOneField(Grant, on_delete=models.PROTECT, related_name="of_album")
    member = models.ForeignKey(AlbumMember, on_delete=models.PROTECT, related_name="grants")
    entry = models.ForeignKey(AlbumStudy, on_delete=models.PROTECT, related_name="grants")
