"""Immutable bytes under an organization: put once, read by range, deleted by the collector.

Ground floor: no models. Two stores with the same promises, a folder and an S3 bucket.
"""

from .errors import BlobMissing, StoreAway, StoreBroken
from .s3 import S3Store
from .soundness import is_sound, must_be_sound, stop_writing
from .store import (
    BlobStore,
    FolderStore,
    new_key,
    pieces,
    scratch,
    store,
    sync,
    sync_folder,
)

__all__ = [
    "BlobMissing",
    "BlobStore",
    "FolderStore",
    "S3Store",
    "StoreAway",
    "StoreBroken",
    "is_sound",
    "must_be_sound",
    "new_key",
    "pieces",
    "scratch",
    "stop_writing",
    "store",
    "sync",
    "sync_folder",
]
