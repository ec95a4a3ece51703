"""Rules for sensitivity labels, and where each label of a study comes from.

Studies stand here by value: what was said of one outlives it, and holds again when it is sent
again. `Study.labels` is made from the rows that nobody lifted; triggers keep it from saying less.
"""

from django.db import models
from django.db.models import Q

from sharing.archive.sensing import RuleFacts
from sharing.kernel.sensitivity import Label
from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization


class LabelRule(models.Model):
    """Sets a label on what it means; without organization it is the region's.

    A rule is not changed: it ends, and another one begins. What it labelled stays labelled.
    """

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    organization = models.ForeignKey(
        Organization, null=True, on_delete=models.PROTECT, related_name="+"
    )
    label = models.CharField(max_length=8)
    words = models.JSONField(default=list)
    modalities = models.JSONField(default=list)
    regions = models.JSONField(default=list)
    departments = models.JSONField(default=list)
    under_age = models.PositiveSmallIntegerField(null=True)
    reason = models.CharField(max_length=300)
    made_by = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_rule_sets_a_known_label",
                condition=Q(label__in=[label.value for label in Label]),
            ),
            models.CheckConstraint(name="a_rule_says_why", condition=~Q(reason="")),
        ]
        indexes = [
            models.Index(
                fields=["organization"], name="label_rules_in_force", condition=Q(ended_at=None)
            ),
        ]

    @property
    def facts(self) -> RuleFacts:
        """The rule by value."""
        return RuleFacts(
            key=self.pk,
            label=self.label,
            words=tuple(self.words),
            modalities=frozenset(self.modalities),
            regions=frozenset(self.regions),
            departments=tuple(self.departments),
            under_age=self.under_age,
        )


class LabellingQuerySet(models.QuerySet["Labelling"]):
    """Which labels stand."""

    def on(self, organization_id: int, *study_uids: str) -> "LabellingQuerySet":
        """All that was ever said of these studies of one custodian."""
        return self.filter(organization_id=organization_id, study_uid__in=study_uids)

    def standing(self) -> "LabellingQuerySet":
        """Those that nobody lifted."""
        return self.filter(lifted_at=None)


class Labelling(models.Model):
    """One label of one study: set by a rule or a person, why and when; and who lifted it, and why.

    Only a person lifts one. No rule made before that sets it again.
    """

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    study_uid = models.CharField(max_length=64)
    label = models.CharField(max_length=8)
    rule = models.ForeignKey(LabelRule, null=True, on_delete=models.PROTECT, related_name="set")
    set_by = models.CharField(max_length=200)
    set_at = models.DateTimeField()
    reason = models.CharField(max_length=300)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=200, blank=True)
    lifted_why = models.CharField(max_length=300, blank=True)

    objects = LabellingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "study_uid", "label"],
                name="a_label_stands_once_on_a_study",
                condition=Q(lifted_at=None),
            ),
            models.CheckConstraint(
                name="a_label_is_a_known_one",
                condition=Q(label__in=[label.value for label in Label]),
            ),
            models.CheckConstraint(
                name="a_label_says_why_and_by_whom",
                condition=~Q(reason="") & ~Q(set_by=""),
            ),
            models.CheckConstraint(
                name="who_lifts_a_label_says_why",
                condition=Q(lifted_at=None, lifted_by="", lifted_why="")
                | (Q(lifted_at__isnull=False) & ~Q(lifted_by="") & ~Q(lifted_why="")),
            ),
        ]
        indexes = [models.Index(fields=["organization", "study_uid"], name="labels_of_a_study")]
