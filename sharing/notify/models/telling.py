"""Notices in the portal, the log of what was sent by which channel, and recalls of copies."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from sharing.consent.models import Consent
from sharing.kernel.tokens import public_id
from sharing.notify.rules import RecallState, Way
from sharing.tenants.models import Organization, User


class Notice(models.Model):
    """One line for one person. It names studies only by a link that the fence guards."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    kind = models.CharField(max_length=20)
    text = models.CharField(max_length=300)
    link = models.CharField(max_length=200, blank=True)
    key = models.CharField(max_length=80)
    made_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="a_person_is_told_once"),
        ]
        indexes = [models.Index(fields=["user", "read_at"], name="notices_unread")]


class Mail(models.Model):
    """One e-mail that was owed, so that a second ring sends nothing twice."""

    key = models.CharField(max_length=120, unique=True)
    to = models.EmailField()
    template = models.CharField(max_length=40)
    sent_at = models.DateTimeField(null=True)


class Recall(models.Model):
    """After a consent ended: what one recipient holds of its copies, and what became of them.

    The recipient is an organization, or whoever had a link; of those the custodian itself answers.
    It waits until each of the copies is answered for.
    """

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, related_name="recalls")
    custodian = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="recalls")
    organization = models.ForeignKey(
        Organization, null=True, on_delete=models.PROTECT, related_name="recalled"
    )
    bearer = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, default=RecallState.WAITING.value)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=200, blank=True)
    why = models.CharField(max_length=1000, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["consent", "organization"],
                name="an_organization_is_asked_once",
                condition=Q(organization__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["consent", "bearer"],
                name="a_bearer_is_asked_for_once",
                condition=Q(organization=None),
            ),
            models.CheckConstraint(
                name="a_recall_has_one_recipient",
                condition=Q(organization=None) & ~Q(bearer="")
                | Q(organization__isnull=False, bearer=""),
            ),
            models.CheckConstraint(
                name="an_answered_recall_says_by_whom",
                condition=Q(state=RecallState.WAITING.value, answered_at=None, answered_by="")
                | ~Q(state=RecallState.WAITING.value)
                & Q(answered_at__isnull=False)
                & ~Q(answered_by=""),
            ),
            models.CheckConstraint(
                name="who_keeps_a_copy_says_why",
                condition=~Q(state=RecallState.KEPT.value, why=""),
            ),
        ]
        indexes = [models.Index(fields=["custodian", "state"], name="recalls_of_a_custodian")]

    @property
    def recipient(self) -> str:
        """Whom it is about; select `organization` along."""
        return self.organization.name if self.organization else self.bearer


class RecalledCopy(models.Model):
    """One time that a copy left, by value: as the access log has it; and what became of it."""

    recall = models.ForeignKey(Recall, on_delete=models.CASCADE, related_name="copies")
    event = models.BigIntegerField()
    study = models.CharField(max_length=40, blank=True)
    study_uid = models.CharField(max_length=64)
    who = models.CharField(max_length=200, blank=True)
    actor_kind = models.CharField(max_length=12)
    actor_id = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=40)
    alias = models.CharField(max_length=64, blank=True, default="", db_default="")
    left_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)
    state = models.CharField(
        max_length=10, default=RecallState.WAITING.value, db_default=RecallState.WAITING.value
    )
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=200, blank=True, default="", db_default="")
    why = models.CharField(max_length=300, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="an_answered_copy_says_by_whom",
                condition=Q(state=RecallState.WAITING.value, answered_at=None, answered_by="")
                | ~Q(state=RecallState.WAITING.value)
                & Q(answered_at__isnull=False)
                & ~Q(answered_by=""),
            ),
        ]


class Wish(models.Model):
    """How one person wants to hear by e-mail of one kind of event."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=20)
    way = models.CharField(max_length=10)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="a_person_wishes_one_way"),
            models.CheckConstraint(
                name="a_way_of_being_told_is_a_known_one",
                condition=Q(way__in=[way.value for way in Way]),
            ),
        ]


class HouseWish(models.Model):
    """How an organization wants its people told, as long as they say nothing else themselves."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=20)
    way = models.CharField(max_length=10)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "kind"], name="an_organization_wishes_one_way"
            ),
            models.CheckConstraint(
                name="a_way_of_telling_a_house_is_a_known_one",
                condition=Q(way__in=[way.value for way in Way]),
            ),
        ]


class Quiet(models.Model):
    """When nothing is written to a person, by the clock of the portal's time zone."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+")
    begins = models.TimeField()
    ends = models.TimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="quiet_hours_are_not_the_whole_day", condition=~Q(begins=models.F("ends"))
            ),
        ]


class Waiting(models.Model):
    """A line of an e-mail that is to leave later, with others of the same person."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=80)
    text = models.CharField(max_length=300)
    link = models.CharField(max_length=300)
    made_at = models.DateTimeField()
    due_at = models.DateTimeField(db_index=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="a_line_waits_once"),
        ]
