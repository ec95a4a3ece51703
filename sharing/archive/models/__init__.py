"""What the archive holds (`stored`), and what becomes of it afterwards (`leaving`)."""

from .leaving import Damage, Erasure, Hold, Removal, Verified, Withheld
from .stored import (
    Batch,
    Conflict,
    Delivery,
    DeliveryItem,
    Instance,
    Series,
    Study,
    StudyQuerySet,
    Upload,
)

__all__ = [
    "Batch",
    "Conflict",
    "Damage",
    "Delivery",
    "DeliveryItem",
    "Erasure",
    "Hold",
    "Instance",
    "Removal",
    "Series",
    "Study",
    "StudyQuerySet",
    "Upload",
    "Verified",
    "Withheld",
]
