"""What SCIM can refuse."""

from sharing.kernel.errors import DomainError


class ScimInvalid(DomainError):
    """A filter, a patch or a resource that is not as RFC 7644 or this service has it."""

    code = "scim_invalid"
    message = "This is not offered here."

    def __init__(self, message: str = "", kind: str = "invalidValue") -> None:
        super().__init__(message)
        self.kind = kind
