"""What registration, membership and sign-in can refuse."""

from sharing.kernel.errors import Absent, DomainError


class NoActor(DomainError):
    """Nobody is signed in, or the person has no organization to act for."""

    code = "no_actor"
    message = "Sign in to go on."


class NotAllowed(DomainError):
    """The role does not include this."""

    code = "not_allowed"
    message = "Your role does not include this."


class LinkInvalid(DomainError):
    """An e-mailed link is unknown, used, or too old."""

    code = "link_invalid"
    message = "This link is not valid any more. Ask for a new one."


class Taken(DomainError):
    """A name that must be unique belongs to somebody else."""

    code = "taken"
    message = "This identifier is registered already."


class TokenInvalid(DomainError):
    """A bearer token is unknown, expired or revoked."""

    code = "token_invalid"
    message = "The access token is not valid."


class LastAdministrator(DomainError):
    """Ending the role would leave an organization that nobody can administer."""

    code = "last_administrator"
    message = "This is the last administrator. Invite another one first."


class PolicyWidens(DomainError):
    """An organization may only tighten what the region says."""

    code = "policy_widens"
    message = "Your organization may only be stricter than the region."


class TeamInvalid(DomainError):
    """A team that can't be as it was said."""

    code = "team_invalid"
    message = "The team is not complete."


class SettingsInvalid(DomainError):
    """Settings of the region that can't be."""

    code = "settings_invalid"
    message = "These settings can't be. Nothing was changed."


class ReasonMissing(DomainError):
    """A step of an organization's life that nobody says why."""

    code = "reason_missing"
    message = "Say in a few words why."


class ProfileInvalid(DomainError):
    """What an organization says of itself and can't be."""

    code = "profile_invalid"
    message = "This can't be. Nothing was changed."


class SignatureMissing(DomainError):
    """The region's terms as nobody signed them."""

    code = "signature_missing"
    message = "Read the terms, then write who signs and in which function."


class AgreementInvalid(DomainError):
    """An agreement that says too little or contradicts itself."""

    code = "agreement_invalid"
    message = "The agreement is not complete."


class AgreementNotFound(Absent):
    """No such agreement, or one between others."""


NOT_ANEW = (
    "Your organization’s sign-in did not say that you proved yourself just now. Try again, or use "
    "a second factor of the portal."
)


class SignInRefused(DomainError):
    """An organization's own sign-in vouches for somebody whom it can't let in here."""

    code = "sign_in_refused"
    message = "Your organization’s sign-in gives you no access here. Ask its administrator."
