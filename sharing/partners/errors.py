"""Refusals of the partners room."""

from sharing.kernel.errors import Absent, DomainError


class ClientInvalid(DomainError):
    """A client that can't be as it was described."""

    code = "client_invalid"
    message = "The client is not complete."


class ClientNotFound(Absent):
    """No such client, one of another organization, or one that has ended."""


class AssertionRefused(DomainError):
    """A client's signed assertion that proves nothing; which rule it broke is told to nobody."""

    code = "assertion_refused"
    message = "The client could not be authenticated."


class KeyReused(DomainError):
    """An Idempotency-Key that stood for another request."""

    code = "key_reused"
    message = "This Idempotency-Key was used for another request."


class AnswerOver(DomainError):
    """An Idempotency-Key whose answer is told no more: it would tell what is not so any longer."""

    code = "answer_over"
    message = "Done before. What it made has changed or ended since: read it where it is."
