"""What links and albums can refuse."""

from sharing.kernel.errors import Absent, DomainError


class LinkNotFound(Absent):
    """No such link, or one that is none of the actor's business."""


class ProofWrong(DomainError):
    """The link or its code is not right, or the link has ended: one answer for all of them."""

    code = "proof_wrong"
    message = "The link or the code is not right, or the link has ended. Ask who sent it."


class TriedTooOften(DomainError):
    """Too many wrong codes for one link."""

    code = "tried_too_often"
    message = "Too many wrong codes. Wait a quarter of an hour, then try again."


class AlbumInvalid(DomainError):
    """An album that says too little or contradicts itself."""

    code = "album_invalid"
    message = "The album is not complete."


class AlbumNotFound(Absent):
    """No such album, or one that is none of the actor's business."""
