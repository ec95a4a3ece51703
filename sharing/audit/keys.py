"""The key that signs the heads of the log: given by the environment, or made once."""

import os
import secrets
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings


def sign(message: bytes) -> tuple[str, str]:
    """The public key and the signature (Ed25519, RFC 8032), both hex."""
    key = _key(settings.AUDIT_KEY, settings.DATA_DIR / "audit_key")
    return key.public_key().public_bytes_raw().hex(), key.sign(message).hex()


def public_key() -> str:
    """By which heads are checked; hex."""
    return sign(b"")[0]


@lru_cache(maxsize=4)
def _key(given: str, path: Path) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(given or _made_once(path)))


def _made_once(path: Path) -> str:
    """Complete before it has its name: another process may start in the same moment."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text(encoding="ascii").strip()
