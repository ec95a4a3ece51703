"""Where Vite put what it built: names carry a hash, the manifest says which."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


def tags(entry: str) -> SafeString:
    """Script, style and preload elements of an entry such as "shell/main.js".

    Raises LookupError when the front end was built without this entry; gives nothing when it was
    not built at all: pages work without scripts, and a check at start-up speaks of it.
    """
    manifest = _manifest()
    if not manifest:
        return SafeString()
    if entry not in manifest:
        raise LookupError(f"the front end was built without {entry}")
    chunk = manifest[entry]
    styles = [(_url(css),) for css in chunk.get("css", [])]
    preloads = [(_url(manifest[key]["file"]),) for key in chunk.get("imports", [])]
    return (
        format_html_join("\n", '<link rel="stylesheet" href="{}">', styles)
        + format_html_join("\n", '<link rel="modulepreload" href="{}">', preloads)
        + format_html('<script type="module" src="{}"></script>', _url(chunk["file"]))
    )


def _url(file: str) -> str:
    return static(f"build/{file}")


def _manifest() -> dict[str, Any]:
    path = Path(settings.VITE_MANIFEST)
    return _load(path, path.stat().st_mtime_ns) if path.exists() else {}


@lru_cache(maxsize=2)
def _load(path: Path, _changed: int) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest
