"""Clients of partners, and what they hold: fingerprints of secrets and tokens, and public keys.

The tables are django-oauth-toolkit's, with what it does not know: whose client it is, and for what
purpose and how surely a person signed in when they let an app act for them.
"""

from django.db import models
from django.db.models import F, Q
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractApplication,
    AbstractGrant,
    AbstractIDToken,
    AbstractRefreshToken,
)

from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization


class _Ours(models.Model):
    """A table of ours besides."""

    class Meta:
        abstract = True


class Client(_Ours, AbstractApplication):
    """An app that people use, or a machine, of one organization."""

    client_id = models.CharField(max_length=24, unique=True, default=public_id)
    client_secret = models.CharField(max_length=1, blank=True, default="")  # see ClientSecret
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="clients")
    scopes = models.JSONField(default=list)
    purpose = models.CharField(max_length=10)
    jwks = models.JSONField(null=True)
    jwks_url = models.CharField(max_length=2000, blank=True)
    made_by = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_client_has_keys_by_value_or_by_address",
                condition=Q(jwks__isnull=True) | Q(jwks_url=""),
            ),
            models.CheckConstraint(
                name="a_client_keeps_no_secret_in_its_row", condition=Q(client_secret="")
            ),
        ]

    @property
    def is_app(self) -> bool:
        """Whether people use it, and it acts as they may."""
        return self.authorization_grant_type == self.GRANT_AUTHORIZATION_CODE

    def redirect_uri_allowed(self, uri: str) -> bool:
        """As registered, to the letter: the toolkit passes over a line's end."""
        return uri.isascii() and uri.isprintable() and bool(super().redirect_uri_allowed(uri))

    def is_usable(self, request: object) -> bool:
        """The toolkit asks this whenever a client comes."""
        return self.ended_at is None

    def get_allowed_schemes(self) -> list[str]:
        """Where an app may be led back to; plain http only on the person's own machine."""
        return ["https", "http"]


class ClientSecret(models.Model):
    """One of the secrets of a client: two for a while, so that it can be rotated without a gap."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="secrets")
    fingerprint = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)


class _Acting(_Ours):
    """As what a person let the app act; a machine's own purpose."""

    purpose = models.CharField(max_length=10)
    assured = models.BooleanField(default=False)
    stamp = models.CharField(max_length=64, blank=True, default="")
    """Of the person's sessions when they let it act: who signs out everywhere ends apps too."""

    class Meta:
        abstract = True


class Grant(_Acting, AbstractGrant):
    """A code that an app swaps for a token within a minute."""


class AccessToken(_Acting, AbstractAccessToken):
    """A bearer token. Revoked is gone."""


class RefreshToken(_Acting, AbstractRefreshToken):
    """What an app swaps for the next token; a second use ends the whole family."""

    origin = models.CharField(max_length=64, blank=True, default="", db_index=True)
    """Of the code that the family came from: who brings that code again ends it."""


class IDToken(_Ours, AbstractIDToken):
    """The toolkit wants the table. None is issued."""


class UsedAssertion(models.Model):
    """A signed assertion that was used, until it would have ended anyway."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="+")
    fingerprint = models.CharField(max_length=64)
    used_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["client", "fingerprint"], name="an_assertion_is_used_once"
            ),
            models.CheckConstraint(
                name="a_used_assertion_ends_after_its_use", condition=Q(expires_at__gt=F("used_at"))
            ),
        ]


class Replay(models.Model):
    """The answer to a request that may be sent again, sealed with the caller's own key."""

    name = models.CharField(max_length=64, unique=True)
    asked = models.CharField(max_length=64)
    answer = models.BinaryField(null=True)
    expires_at = models.DateTimeField(db_index=True)
