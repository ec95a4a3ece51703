"""What access and sharing can refuse."""

from sharing.kernel.errors import Absent, DomainError


class NotCovered(DomainError):
    """No consent covers what is to be shared."""

    code = "not_covered"
    message = "The patient's consent does not cover this. Nobody gained access."


class ShareInvalid(DomainError):
    """A share that says too little or contradicts itself."""

    code = "share_invalid"
    message = "The share is not complete."


class ShareWidens(DomainError):
    """A share that gives more than the sharer was given."""

    code = "share_widens"
    message = "You can share on only what was shared with you. Nobody gained access."


class GlassInvalid(DomainError):
    """An emergency access that says too little, or that nobody proved to be theirs."""

    code = "glass_invalid"
    message = "The emergency access is not complete. Nothing was opened."


class GlassBlocked(DomainError):
    """An earlier emergency access of the same person waits for its review, and too long."""

    code = "glass_blocked"
    message = (
        "An earlier emergency access of yours was not reviewed in time. "
        "Ask your privacy officer; nothing was opened."
    )


class GlassQuota(DomainError):
    """The person used emergency access as often as the region lets one person in a day."""

    code = "glass_quota"
    message = "You have used emergency access as often as one may in a day. Nothing was opened."


class GlassNotFound(Absent):
    """No such emergency access or review, or none of the actor's business."""


class UseNotFound(Absent):
    """No such use, or none of the actor's business."""


class ShareNotFound(Absent):
    """No such share, or one that is none of the actor's business."""


class AskInvalid(DomainError):
    """A request that says too little, or an answer that does not fit it."""

    code = "ask_invalid"
    message = "Name the patient's identifier, the birth date and the reason."


class AskedTooMuch(DomainError):
    """More requests of one person in a day than work can need."""

    code = "asked_too_much"
    message = "You asked for many patients today. Try again tomorrow."


class RequestNotFound(Absent):
    """No such request, or not the actor's to answer."""


class TieInvalid(DomainError):
    """A relationship that says too little or contradicts itself."""

    code = "tie_invalid"
    message = "Say whom, about what, until when, and why. Nobody gained access."


class TieNotFound(Absent):
    """No such relationship of the actor's organization's patients."""
