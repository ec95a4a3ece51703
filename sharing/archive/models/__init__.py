"""The archive: what it holds (`stored`), how it is found (`searched`), what leaves (`leaving`).

What is sensitive, and why, stands in `labelled`; what a person opened and keeps, in `remembered`.
"""

from .held import HeldStudy
from .labelled import Labelling, LabelRule
from .leaving import Damage, Erasure, Hold, Removal, Verified, Withheld
from .looking import Look
from .remembered import Opening, SavedSearch
from .rendered import Rendition
from .searched import Listed, NameKey, Requested
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
    "HeldStudy",
    "Hold",
    "Instance",
    "LabelRule",
    "Labelling",
    "Listed",
    "Look",
    "NameKey",
    "Opening",
    "Removal",
    "Rendition",
    "Requested",
    "SavedSearch",
    "Series",
    "Study",
    "StudyQuerySet",
    "Upload",
    "Verified",
    "Withheld",
]
