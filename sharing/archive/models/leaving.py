"""What leaves the archive: the journal of removals, what is withheld, held, erased, damaged.

Studies stand here by value, because these rows outlive them. A column named `blob` keeps its bytes
from the collector; packs that are only spoken of stand in `pack`.
"""

from django.db import models
from django.db.models import Q

from sharing.archive.rules import RemovalKind
from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization


class Removal(models.Model):
    """A line of the journal: what left, why, by whom. No patient data beyond identifiers.

    It is written to the store too (`blob`), so that it outlives a restore of the database.
    """

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    kind = models.CharField(max_length=12)
    study_uid = models.CharField(max_length=64)
    study = models.CharField(max_length=40)
    patient = models.CharField(max_length=40)
    instances = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=12)
    words = models.CharField(max_length=300, blank=True)
    by_kind = models.CharField(max_length=12)
    by_id = models.CharField(max_length=64, blank=True)
    by_name = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    of = models.CharField(max_length=24, blank=True)  # the rejection that is taken back
    blob = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_removal_is_of_a_known_kind",
                condition=Q(kind__in=[kind.value for kind in RemovalKind]),
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "study_uid"], name="removals_of_a_study"),
            models.Index("at", name="removals_not_in_the_store", condition=Q(blob="")),
        ]


class Withheld(models.Model):
    """An instance that left its study while its bytes are kept for a time.

    What was rejected is refused when it comes again (`refused`), also after the bytes are purged;
    what was superseded is not.
    """

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    removal = models.ForeignKey(Removal, on_delete=models.PROTECT, related_name="withheld")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    study_uid = models.CharField(max_length=64)
    series_uid = models.CharField(max_length=64)
    sop_uid = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)
    blob = models.CharField(max_length=120, blank=True)
    offset = models.BigIntegerField()
    length = models.BigIntegerField()
    refused = models.BooleanField()
    purge_at = models.DateTimeField()
    purged_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "sop_uid"],
                name="an_identifier_is_refused_once",
                condition=Q(refused=True, returned_at=None),
            ),
        ]
        indexes = [
            models.Index(fields=["blob"], name="withheld_of_a_blob"),
            models.Index(fields=["organization", "study_uid"], name="withheld_of_a_study"),
        ]
        verbose_name_plural = "withheld"


class HoldQuerySet(models.QuerySet["Hold"]):
    """Which holds are in force."""

    def bind(self, organization_id: int, study_uid: str) -> bool:
        """Whether the study is held, by itself or with all that its organization keeps."""
        if self.on(organization_id, study_uid).exists():
            return True
        everything = Organization.objects.filter(pk=organization_id).exclude(legal_hold="")
        return everything.exists()

    def on(self, organization_id: int, *study_uids: str) -> "HoldQuerySet":
        """Those not lifted, on these studies of one custodian."""
        found = self.filter(organization_id=organization_id, lifted_at=None)
        return found.filter(study_uid__in=study_uids)


class Hold(models.Model):
    """A legal hold: nothing of the study may leave while one of them is in force."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    study_uid = models.CharField(max_length=64)
    reason = models.CharField(max_length=300)
    placed_by = models.CharField(max_length=200)
    placed_at = models.DateTimeField()
    lifted_by = models.CharField(max_length=200, blank=True)
    lifted_at = models.DateTimeField(null=True)
    lifted_why = models.CharField(max_length=300, blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_hold_is_lifted_after_it_was_placed",
                condition=Q(lifted_at=None) | Q(lifted_at__gte=models.F("placed_at")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "study_uid"],
                name="holds_in_force",
                condition=Q(lifted_at=None),
            ),
        ]


class Erasure(models.Model):
    """A pack that holds bytes of what left: owed until they are gone from it.

    `pack` is no `blob`: when no row needs the pack any more, the collector may take it.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    pack = models.CharField(max_length=120)
    asked_at = models.DateTimeField()
    moved_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    freed = models.BigIntegerField(default=0)
    waits = models.CharField(max_length=12, blank=True)  # hold, damage

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pack"], name="a_pack_is_rewritten_once_at_a_time",
                condition=Q(done_at=None),
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["pack"], name="erasures_of_a_pack")]


class Damage(models.Model):
    """Stored bytes that are not what was received: set apart, so that nobody is given them.

    The instance then points at a name that holds nothing (`marked`), which answers 503; `blob`
    keeps what is left. The same bytes sent again heal it.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    sop_uid = models.CharField(max_length=64)
    blob = models.CharField(max_length=120)
    offset = models.BigIntegerField()
    length = models.BigIntegerField()
    marked = models.CharField(max_length=120)
    found_at = models.DateTimeField()
    healed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "sop_uid"],
                name="an_instance_is_damaged_once_at_a_time",
                condition=Q(healed_at=None),
            ),
        ]
        indexes = [models.Index(fields=["blob"], name="damages_of_a_blob")]


class Verified(models.Model):
    """When a pack was last read whole and its hashes compared."""

    pack = models.CharField(max_length=120, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["at"], name="verified_by_age")]
        verbose_name_plural = "verified"
