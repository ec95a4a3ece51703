"""Links: what must be known to use one, how often, until when. Their secrets are nowhere."""

from datetime import datetime

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from sharing.access.models import Grant, Share
from sharing.exchange.rules import LinkState, link_state
from sharing.kernel.tokens import public_id
from sharing.tenants.rules import OrganizationState


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    """Which links still open anything."""

    def lasting(self, at: datetime) -> "ShareLinkQuerySet":
        """Begun, not ended, not revoked, with a live grant, and of a custodian that is active."""
        given = Grant.objects.live(at).filter(share=OuterRef("share"))
        return self.filter(
            Exists(given),
            not_before__lte=at,
            expires_at__gt=at,
            revoked_at=None,
            share__custodian__state=OrganizationState.ACTIVE,
        )


class ShareLink(models.Model):
    """A link to what one share gave away: whoever has it, and the code, comes in.

    The secret of the link and the code are kept as hashes only, the code's mixed with the secret.
    """

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    share = models.OneToOneField(Share, on_delete=models.PROTECT, related_name="link")
    secret_hash = models.CharField(max_length=64, unique=True)
    proof_hash = models.CharField(max_length=64)
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField()
    uses = models.PositiveSmallIntegerField(default=1)
    used = models.PositiveSmallIntegerField(default=0)
    last_used_at = models.DateTimeField(null=True)
    failed = models.PositiveIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=120, blank=True)

    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_link_ends_after_it_begins", condition=Q(expires_at__gt=F("not_before"))
            ),
            models.CheckConstraint(
                name="a_link_is_used_no_more_often_than_it_says",
                condition=Q(used__lte=F("uses"), uses__gte=1),
            ),
            models.CheckConstraint(
                name="a_revoked_link_says_by_whom",
                condition=Q(revoked_at=None, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
            ),
        ]

    @property
    def left(self) -> int:
        """How often it may still be used."""
        return self.uses - self.used

    def state_at(self, at: datetime) -> LinkState:
        """Where it stands; without its grants it is revoked."""
        return link_state(
            at=at,
            not_before=self.not_before,
            expires_at=self.expires_at,
            left=self.left,
            revoked=self.revoked_at is not None or not self._given(),
        )

    def _given(self) -> bool:
        return any(grant.revoked_at is None for grant in self.share.grants.all())


class LinkTry(models.Model):
    """A wrong code, and from where: by a hash that only who has the link can make again."""

    link = models.ForeignKey(ShareLink, on_delete=models.CASCADE, related_name="tries")
    client = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["link", "at"], name="tries_of_a_link")]
        verbose_name_plural = "link tries"
