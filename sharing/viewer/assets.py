"""Which built files the viewer page needs, read from Vite's manifest."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.templatetags.static import static

ENTRY = "viewer/main.js"


@dataclass(frozen=True)
class Assets:
    """URLs of the built viewer: the entry, and the chunks that it will ask for next."""

    entry: str
    preloads: tuple[str, ...]


def viewer_assets() -> Assets | None:
    """The built viewer, or None where the front end has not been built.

    Raises LookupError when the front end was built without the viewer.
    """
    path = Path(settings.VITE_MANIFEST)
    if not path.exists():
        return None
    manifest = _load(path, path.stat().st_mtime_ns)
    if ENTRY not in manifest:
        raise LookupError("the front end was built without the viewer")
    # The page asks for the large chunk at once instead of after the small entry has run.
    wanted = _reached(manifest, ENTRY)
    return Assets(
        entry=_url(manifest[ENTRY]["file"]),
        preloads=tuple(_url(manifest[key]["file"]) for key in wanted),
    )


def _reached(manifest: dict[str, Any], entry: str) -> list[str]:
    """The chunks that the entry imports, at once or by its first dynamic import."""
    direct = [*manifest[entry].get("imports", ()), *manifest[entry].get("dynamicImports", ())]
    further = [key for chunk in direct for key in manifest[chunk].get("imports", ())]
    return [key for key in dict.fromkeys((*direct, *further)) if key != entry]


def _url(file: str) -> str:
    return static(f"build/{file}")


@lru_cache(maxsize=2)
def _load(path: Path, _changed: int) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest
