"""Bootstrap's icons, inlined as SVG: no icon font, no sprite, no Node at run time."""

import json
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.utils.html import format_html
from django.utils.safestring import SafeString

BUILT = "build/icons.json"
"""Made by the front-end build: {"eye": "<path d=.../>", ...}, each for a 16 x 16 view box."""


def svg(name: str, *, css: str = "", label: str = "") -> SafeString:
    """The icon as SVG: hidden from screen readers, or an image with `label` as its name.

    Before the front end was built there are no icons and the words beside them stand alone.
    Raises LookupError for a name that the icon set does not have.
    """
    paths = drawings()
    if not paths:
        return SafeString("")
    if name not in paths:
        raise LookupError(f"no icon named {name}")
    spoken = format_html('role="img" aria-label="{}"', label) if label else _SILENT
    return format_html(
        '<svg class="ico{}" viewBox="0 0 16 16" {}>{}</svg>',
        f" {css}" if css else "",
        spoken,
        SafeString(paths[name]),  # from our own build, never from input
    )


_SILENT = SafeString('aria-hidden="true"')


def drawings() -> dict[str, str]:
    """All drawings by name; empty when the front end is not built."""
    path = _built_file()
    return _load(path, path.stat().st_mtime_ns) if path else {}


def _built_file() -> Path | None:
    collected = Path(settings.STATIC_ROOT, BUILT) if settings.STATIC_ROOT else None
    if collected and collected.exists():
        return collected
    found = finders.find(BUILT)
    return Path(found) if isinstance(found, str) else None


@lru_cache(maxsize=2)
def _load(path: Path, _changed: int) -> dict[str, str]:
    icons: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return icons
