"""Webhooks: who wants to be told by HTTP, and the log of what was delivered."""

from django.db import models
from django.db.models import Q

from sharing.kernel.tokens import public_id
from sharing.notify.rules import DeliveryState
from sharing.tenants.models import Organization


class Webhook(models.Model):
    """An address of an organization's, and the kinds of event that it is told.

    The secret that signs is made of the portal's key and `version`: it is not in the database.
    One with `criteria` is a Subscription by FHIR: `why` it is there, and whether the other side
    answered when it was asked (`confirmed`); before, it is told nothing.
    """

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="webhooks"
    )
    url = models.CharField(max_length=2000)
    kinds = models.JSONField(default=list)
    names_studies = models.BooleanField(default=False)
    criteria = models.CharField(max_length=200, blank=True, default="", db_default="")
    why = models.CharField(max_length=300, blank=True, default="", db_default="")
    confirmed = models.BooleanField(default=True, db_default=True)
    version = models.PositiveIntegerField(default=1)
    rotated_at = models.DateTimeField(null=True)
    paused = models.BooleanField(default=False)
    made_by = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_subscription_says_why", condition=Q(criteria="") | ~Q(why="")
            ),
            models.CheckConstraint(
                name="only_a_subscription_waits_for_an_answer",
                condition=Q(confirmed=True) | ~Q(criteria=""),
            ),
        ]


class Delivery(models.Model):
    """One event for one webhook: what was sent, how often, and what came back."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    key = models.CharField(max_length=120)
    kind = models.CharField(max_length=40)
    body = models.TextField()
    state = models.CharField(max_length=10, default=DeliveryState.WAITING.value)
    made_at = models.DateTimeField()
    tried = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    failure = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["webhook", "key"], name="a_webhook_is_told_an_event_once"
            ),
            models.CheckConstraint(
                name="a_delivery_is_in_a_known_state",
                condition=Q(state__in=[state.value for state in DeliveryState]),
            ),
        ]
        indexes = [models.Index(fields=["webhook", "made_at"], name="deliveries_of_a_webhook")]
