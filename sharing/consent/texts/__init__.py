"""What is shown to patients, as files: one per text, version and language.

A published text never changes: its hash stands in SHA256SUMS, and a file that is another one is
not shown. A new wording is a new version; consents go on naming the one that was shown.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sharing.consent.errors import TextUnknown

FOLDER = Path(__file__).parent
LANGUAGES = {"en": "English", "zh-Hans": "简体中文"}
"""The languages in which every text exists, each in its own words."""


@dataclass(frozen=True)
class Text:
    """One version of one text in one language."""

    key: str
    version: str
    language: str
    sha256: str
    parts: Mapping[str, Any]

    @property
    def name(self) -> str:
        """How a consent names it: `permit/2026-1`."""
        return f"{self.key}/{self.version}"

    def say(self, part: str, **words: str) -> str:
        """One part with its gaps filled."""
        return str(self.parts[part]).format(**words)


@cache
def published() -> Mapping[str, str]:
    """Hash by file name, as `sha256sum` writes them."""
    lines = (FOLDER / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


@cache
def text(name: str, language: str) -> Text:
    """The text of that name in that language. Raises TextUnknown."""
    file = f"{name}.{language}.toml"
    if file not in published():
        raise TextUnknown()
    data = (FOLDER / file).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != published()[file]:
        raise TextUnknown()
    key, _, version = name.partition("/")
    return Text(key, version, language, digest, tomllib.loads(data.decode()))


@cache
def newest(key: str, language: str) -> Text:
    """The text of that kind as it is shown from now on. Raises TextUnknown."""
    names = {file.partition(".")[0] for file in published() if file.startswith(f"{key}/")}
    if not names:
        raise TextUnknown()
    return text(max(names, key=_order), language)


def _order(name: str) -> tuple[int, int]:
    year, _, number = name.partition("/")[2].partition("-")
    return int(year), int(number)
