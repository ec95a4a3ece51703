"""What the access log refuses."""

from sharing.kernel.errors import DomainError


class WitnessInvalid(DomainError):
    """A countersignature that does not fit the head."""

    code = "witness_invalid"
    message = "The signature does not fit this head of the log."


class LogAway(DomainError):
    """A read of another organization's study that can't be recorded now, and so is not given."""

    code = "log_away"
    message = "The access log can't be written now, so nothing of others is shown. Try again soon."


class LogTooLong(DomainError):
    """More lines than are handed out at once; a part of them would look like all."""

    code = "log_too_long"
    message = "These are more lines than one file takes. Choose a shorter time."
