"""What can go wrong, in two kinds: the portal said no, or it could not be asked."""


class PortalError(Exception):
    """Anything this client raises by itself."""


class Unreachable(PortalError):
    """The portal could not be reached, or broke off; trying again may help."""


class Refused(PortalError):
    """The portal said no: `status` of HTTP, `code` that stays the same, `detail` for people."""

    def __init__(self, status: int, code: str, detail: str, retry_after: float | None) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status, self.code, self.detail = status, code, detail
        self.retry_after = retry_after
