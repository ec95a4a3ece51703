"""Static files: names hashed in production, except what Vite built (it hashes by itself)."""

import re
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage

BUILD = "build/"
_IMMUTABLE = re.compile(r"/build/assets/.+-[\w-]{8,}\.\w+$|\.[0-9a-f]{12}\.\w+$")


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Hashes our own sheets and icons. Renaming Vite's files breaks its import and wasm URLs."""

    def hashed_name(self, name: str, content: Any = None, filename: str | None = None) -> str:
        """The name with its hash, or the name as it is for what Vite built."""
        if name.startswith(BUILD):
            return name
        return str(super().hashed_name(name, content, filename))

    def post_process(self, paths: dict[str, Any], **options: Any) -> Any:
        """Leaves static/build alone: neither renamed nor rewritten."""
        ours = {name: path for name, path in paths.items() if not name.startswith(BUILD)}
        yield from super().post_process(ours, **options)

    def stored_name(self, name: str) -> str:
        """As above, for the lookup by `{% static %}`."""
        return name if name.startswith(BUILD) else str(super().stored_name(name))


def is_immutable(path: str, url: str) -> bool:
    """True for names that carry a hash of their content: they may be cached for ever."""
    return _IMMUTABLE.search(url) is not None


def add_headers(headers: Any, path: str, url: str) -> None:
    """A worker takes its CSP from its own response, so scripts carry one (design: viewer)."""
    if path.endswith((".js", ".mjs")):
        headers["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
        )
