"""Random names that can't be guessed, and the only form in which secrets are kept."""

import hashlib
import secrets


def public_id() -> str:
    """A name for a URL: 22 characters, 128 bits of randomness, nothing to enumerate."""
    return _beginning_plainly(16)


def new_secret() -> str:
    """A secret shown once: 43 characters, 256 bits."""
    return _beginning_plainly(32)


def fingerprint(secret: str) -> str:
    """SHA-256 in hex: how a secret of full entropy is stored and looked up."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _beginning_plainly(size: int) -> str:
    """`size` random bytes for a URL; no "-" first, which a command line reads as an option."""
    while (drawn := secrets.token_urlsafe(size)).startswith("-"):
        pass
    return drawn
