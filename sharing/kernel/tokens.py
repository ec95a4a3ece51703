"""Random names that can't be guessed, and the only form in which secrets are kept."""

import hashlib
import secrets


def public_id() -> str:
    """A name for a URL: 22 characters, 128 bits of randomness, nothing to enumerate."""
    return secrets.token_urlsafe(16)


def new_secret() -> str:
    """A secret shown once: 43 characters, 256 bits."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """SHA-256 in hex: how a secret of full entropy is stored and looked up."""
    return hashlib.sha256(secret.encode()).hexdigest()
