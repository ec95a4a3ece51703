"""What access and sharing can refuse."""

from sharing.kernel.errors import DomainError


class NotCovered(DomainError):
    """No consent covers what is to be shared."""

    code = "not_covered"
    message = "The patient's consent does not cover this. Nobody gained access."


class ShareInvalid(DomainError):
    """A share that says too little or contradicts itself."""

    code = "share_invalid"
    message = "The share is not complete."
