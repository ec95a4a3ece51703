"""Codes for patients' own phones: what one shows is frozen, by triggers too."""

from django.db import models
from django.db.models import F, Q

from sharing.consent.rules import (
    TRIES_MOST,
    Performer,
    PhoneKind,
    PhoneState,
)
from sharing.identity.models import Patient
from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization, User

from .said import Consent


class PhoneSession(models.Model):
    """One code for a patient's own phone: what it opens, until when, and what came of it.

    Neither the code nor the six digits are stored: both are made from the portal's key and the
    public id, and known again by their fingerprints. The digits' fingerprint holds the code, so
    that a copy of the database can't be tried against a million of them.
    """

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    kind = models.CharField(max_length=10)
    custodian = models.ForeignKey(Organization, on_delete=models.PROTECT)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="phone_sessions")
    draft = models.JSONField(null=True)  # what the patient reads; frozen
    consent = models.ForeignKey(
        Consent, null=True, on_delete=models.PROTECT, related_name="phone_sessions"
    )
    language = models.CharField(max_length=12)
    token_sha256 = models.CharField(max_length=64, unique=True)
    digits_sha256 = models.CharField(max_length=64)
    cookie_sha256 = models.CharField(max_length=64, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, default=PhoneState.WAITING.value)
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT)
    issued_for = models.CharField(max_length=10)  # the clerk's purpose, to be the same actor again
    issued_assured = models.BooleanField()
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    signature = models.TextField(blank=True)  # the drawn lines, see rules.strokes_of

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_phone_code_expires_after_it_is_issued",
                condition=Q(expires_at__gt=F("issued_at")),
            ),
            models.CheckConstraint(
                name="a_phone_code_stands_five_wrong_tries",
                condition=Q(tries__lte=TRIES_MOST),
            ),
            models.CheckConstraint(
                name="a_phone_code_is_in_a_known_state",
                condition=Q(state__in=[state.value for state in PhoneState]),
            ),
            models.CheckConstraint(
                name="a_phone_shows_a_draft_or_a_consent",
                condition=Q(kind=PhoneKind.CONSENT.value, draft__isnull=False)
                | Q(kind=PhoneKind.WITHDRAWAL.value, consent__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["cookie_sha256"],
                name="a_phone_is_known_by_its_own_secret",
                condition=~Q(cookie_sha256=""),
            ),
        ]
        indexes = [models.Index(fields=["patient", "state"], name="phone_codes_of_a_patient")]

    @property
    def for_other(self) -> bool:
        """Whether somebody holds the phone who speaks for the patient."""
        said = (self.draft or {}).get("performer") or (self.consent and self.consent.performer)
        return bool(said and said != Performer.SELF)

    @property
    def second(self) -> str:
        """Who has to sign too, on a phone of their own; blank: one signature is enough."""
        return str((self.draft or {}).get("second", ""))

    @property
    def half(self) -> bool:
        """Whether the first of two signed, and nothing holds until the second did."""
        return self.state == PhoneState.SIGNED and self.consent_id is None
