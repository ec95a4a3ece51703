"""An organization's own sign-in (OpenID Connect or SAML), and the addresses that it answers for."""

from django.db import models
from django.db.models import Q

from sharing.tenants.realms import Protocol

from .organizations import Organization


class Realm(models.Model):
    """Where the people of an organization sign in, and which of its groups are which roles.

    The secret is kept sealed by the portal's key: a copy of the database can't use it. By SAML
    there is none: `issuer` is the provider's entity ID, and what it signs is held to
    `certificates`.
    """

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, related_name="realm"
    )
    protocol = models.CharField(max_length=4, default=Protocol.OIDC.value)
    issuer = models.CharField(max_length=300)
    client_id = models.CharField(max_length=190, blank=True)
    sealed_secret = models.TextField(blank=True)
    sso_url = models.CharField(max_length=500, blank=True, default="")
    certificates = models.JSONField(default=list)
    email_in = models.CharField(max_length=190, blank=True, default="")
    name_in = models.CharField(max_length=190, blank=True, default="")
    groups_in = models.CharField(max_length=190, default="groups")
    mapping = models.JSONField(default=dict)
    trusts_factor = models.BooleanField(default=False)
    active = models.BooleanField(default=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_realm_names_its_issuer",
                condition=~Q(issuer="")
                & (
                    (Q(protocol=Protocol.OIDC.value) & ~Q(client_id=""))
                    | (Q(protocol=Protocol.SAML.value) & ~Q(sso_url="") & ~Q(certificates=[]))
                ),
            ),
        ]

    @property
    def place(self) -> str:
        """The address to which people are sent."""
        return self.sso_url if self.protocol == Protocol.SAML else self.issuer


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
