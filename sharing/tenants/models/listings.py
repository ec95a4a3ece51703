"""What a person agreed to show of themselves to the region."""

from django.db import models

from .organizations import User


class Listing(models.Model):
    """One person's line in the staff directory: there only while they agree.

    Who says no is offered to nobody by name; who never said is offered by name and not listed.
    """

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, primary_key=True, related_name="listing"
    )
    listed = models.BooleanField(default=False)
    speciality = models.CharField(max_length=80, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    languages = models.CharField(max_length=80, blank=True)
    shows_email = models.BooleanField(default=False)
    said_at = models.DateTimeField()
