"""An organization's own sign-in (OpenID Connect), and the addresses that it answers for."""

from django.db import models
from django.db.models import Q

from .organizations import Organization


class Realm(models.Model):
    """Where the people of an organization sign in, and which of its groups are which roles.

    The secret is kept sealed by the portal's key: a copy of the database can't use it.
    """

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, related_name="realm"
    )
    issuer = models.CharField(max_length=300)
    client_id = models.CharField(max_length=190)
    sealed_secret = models.TextField()
    groups_in = models.CharField(max_length=60, default="groups")
    mapping = models.JSONField(default=dict)
    trusts_factor = models.BooleanField(default=False)
    active = models.BooleanField(default=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_realm_names_its_issuer", condition=~Q(issuer="") & ~Q(client_id="")
            ),
        ]


class RealmDomain(models.Model):
    """A domain of addresses; it leads nobody anywhere until the operator confirmed whose it is."""

    realm = models.ForeignKey(Realm, on_delete=models.CASCADE, related_name="domains")
    domain = models.CharField(max_length=190)
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["domain"],
                name="a_domain_belongs_to_one_organization",
                condition=Q(confirmed_at__isnull=False),
            ),
            models.UniqueConstraint(fields=["realm", "domain"], name="a_realm_names_a_domain_once"),
        ]
