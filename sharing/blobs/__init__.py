"""Immutable bytes under an organization: put once, read by range, deleted by the collector.

Ground floor: no models. Two stores with the same promises, a folder and an S3 bucket.
"""

from .store import (
    BlobMissing,
    BlobStore,
    FolderStore,
    S3Store,
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
    "new_key",
    "pieces",
    "scratch",
    "store",
    "sync",
    "sync_folder",
]
