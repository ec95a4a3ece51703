"""Posts: where people stand at the organizations that they are of."""

from django.db import models
from django.db.models import Q

from sharing.kernel.tokens import public_id
from sharing.tenants.posts import PostState

from .organizations import Organization, User


class Post(models.Model):
    """One person's place at one organization: where it stands, and what their roles hang on.

    While it rests (leave, lapse) the roles have ended rows, so that whoever asks for present roles
    finds none, and `resting` names those that come back. An invited person may have no account yet.
    """

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="posts")
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="posts")
    email = models.EmailField()
    name = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=12)
    moved_at = models.DateTimeField()
    resting = models.JSONField(default=list)
    confirmed_at = models.DateTimeField()
    confirmed_by = models.CharField(max_length=120, blank=True)
    licence = models.CharField(max_length=64, blank=True)
    licence_authority = models.CharField(max_length=120, blank=True)
    licence_checked_at = models.DateTimeField(null=True)
    licence_checked_by = models.CharField(max_length=120, blank=True)
    external_id = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email"], name="an_address_has_one_post_at_an_organization"
            ),
            models.UniqueConstraint(
                fields=["organization", "user"], name="a_person_has_one_post_at_an_organization"
            ),
            models.CheckConstraint(
                name="a_post_is_in_a_known_state",
                condition=Q(state__in=[state.value for state in PostState]),
            ),
            models.CheckConstraint(
                name="a_checked_licence_has_a_number",
                condition=Q(licence_checked_at=None) | ~Q(licence=""),
            ),
        ]
