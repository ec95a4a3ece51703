"""What a store can refuse, and what it lacks."""

from sharing.kernel.errors import DomainError


class BlobMissing(Exception):
    """A blob that a row promises is not in the store. Never answered with other bytes."""


class StoreAway(DomainError):
    """The store does not answer, or answers with errors, after all tries."""

    code = "store_away"
    message = "The image store does not answer now."


class StoreBroken(DomainError):
    """The disk failed to make bytes durable: this process writes no more (reliability.md, 19)."""

    code = "store_broken"
    message = "The disk does not keep what is written. Nothing more is accepted for now."
