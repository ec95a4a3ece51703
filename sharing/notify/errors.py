"""What recalls can refuse."""

from sharing.kernel.errors import Absent, DomainError


class RecallNotFound(Absent):
    """No such recall, or none of the actor's business."""


class RecallInvalid(DomainError):
    """An answer that says too little."""

    code = "recall_invalid"
    message = "Say by which law or for which reason the copies are kept."
