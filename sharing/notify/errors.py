"""What recalls can refuse."""

from sharing.kernel.errors import Absent, DomainError


class RecallNotFound(Absent):
    """No such recall, or none of the actor's business."""


class RecallInvalid(DomainError):
    """An answer that says too little."""

    code = "recall_invalid"
    message = "Say by which law or for which reason the copies are kept."


class WebhookInvalid(DomainError):
    """A webhook that can't be as it was described."""

    code = "webhook_invalid"
    message = "The webhook is not complete."


class WebhookNotFound(Absent):
    """No such webhook or delivery, or one of another organization."""
