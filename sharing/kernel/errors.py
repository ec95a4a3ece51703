"""The root of every refusal the domain can speak. Codes, never HTTP statuses."""


class DomainError(Exception):
    """A rule of the domain said no.

    `code` is stable and looked up in `portal/errors.py`; the message is for people and never
    echoes input, because input may hold patient data.
    """

    code = "refused"
    message = "This is not possible."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)


class Absent(DomainError):
    """What was asked for does not exist, or the actor may not know whether it does."""

    code = "absent"
    message = "Nothing found."


class BadValue(DomainError):
    """A value from outside is not of the form its name promises."""

    code = "bad_value"
    message = "A value is not of the expected form."


class AddressRefused(DomainError):
    """An address that the portal asks nothing of: not public, or written in a doubtful way."""

    code = "address_refused"
    message = "Give an https address that is public and written plainly."


class NotReached(DomainError):
    """Somebody else's server gave no answer, or none that ends."""

    code = "not_reached"
    message = "The other side did not answer."
