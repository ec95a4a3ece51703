"""Static files: names hashed in production, except what Vite built (it hashes by itself)."""

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage

BUILD = "build/"


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
