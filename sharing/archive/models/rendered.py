"""What is made of stored objects ahead of time, and can be made again."""

from django.db import models
from django.utils import timezone

from .stored import Instance


class Rendition(models.Model):
    """The frames of one instance as HTJ2K code streams, lossless, resolution by resolution.

    A pack of renditions holds those of one study only: when anything of the study leaves, the
    whole pack may go.
    """

    instance = models.OneToOneField(Instance, on_delete=models.CASCADE, related_name="rendition")
    blob = models.CharField(max_length=120)
    offset = models.BigIntegerField()
    length = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    layout = models.BinaryField()  # frame table, packed by archive.frames
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["blob"], name="renditions_of_a_blob")]
