"""Which built files the viewer page needs, read from Vite's manifest."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.templatetags.static import static

ENTRY = "viewer/main.js"
ENGINE = "viewer/engine.js"


@dataclass(frozen=True)
class Assets:
    """URLs of the built viewer: the entry, and the chunks that it will ask for next."""

    entry: str
    preloads: tuple[str, ...]
    decoders: dict[str, str]
    """The worker that decodes and its code for HTJ2K: asked for beside the library, not after."""


def viewer_assets() -> Assets | None:
    """The built viewer, or None where the front end has not been built.

    Raises LookupError when the front end was built without the viewer.
    """
    path = Path(settings.VITE_MANIFEST)
    if not path.exists():
        return None
    manifest = _load(path, path.stat().st_mtime_ns)
    if ENTRY not in manifest or ENGINE not in manifest:
        raise LookupError("the front end was built without the viewer")
    # The page asks for the large chunk at once instead of after the small entry has run.
    wanted = _reached(manifest, ENTRY, ENGINE)
    return Assets(
        entry=_url(manifest[ENTRY]["file"]),
        preloads=tuple(_url(manifest[key]["file"]) for key in wanted),
        decoders=_decoders([file for key in wanted for file in manifest[key].get("assets", ())]),
    )


def _decoders(files: list[str]) -> dict[str, str]:
    """By what the script calls them."""
    names = {"worker": "decodeImageFrameWorker", "htj2k": "openjphjs"}
    found = {name: [file for file in files if word in file] for name, word in names.items()}
    return {name: _url(those[0]) for name, those in found.items() if those}


def _reached(manifest: dict[str, Any], *entries: str) -> list[str]:
    """The chunks that these import at once, and themselves, without the page's own entry.

    What the entry imports later by itself follows the first image (frontend/viewer/features.js).
    """
    direct = [key for entry in entries for key in (entry, *manifest[entry].get("imports", ()))]
    return [key for key in dict.fromkeys(direct) if key != ENTRY]


def _url(file: str) -> str:
    return static(f"build/{file}")


@lru_cache(maxsize=2)
def _load(path: Path, _changed: int) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest
