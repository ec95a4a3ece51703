"""Headers of static files: how long each may be kept, and what a script may do as a worker."""

import re
from typing import Any

# Vite's hash has eight letters; "-variable.woff2" has too, but no capital and no digit.
_IMMUTABLE = re.compile(
    r"/build/(?!vendor/).+-(?=[\w-]*[A-Z0-9])[\w-]{8}\.\w+$|\.[0-9a-f]{12}\.\w+$"
)


def is_immutable(path: str, url: str) -> bool:
    """True for names that carry a hash of their content: they may be cached for ever."""
    return _IMMUTABLE.search(url) is not None


def add_headers(headers: Any, path: str, url: str) -> None:
    """A worker takes its CSP from its own response, so scripts carry one (design: viewer)."""
    if path.endswith((".js", ".mjs")):
        headers["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
        )
