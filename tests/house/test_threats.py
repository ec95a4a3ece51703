"""Each abuse case has its row in docs/threat-model.md; each test that the page names is there."""

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
ROWS = {row[0]: row for row in re.findall(r"^\| (A\d\d) \| (.+) \| (.+) \| (.+) \|$", PAGE, re.M)}


def test_each_abuse_case_has_one_row() -> None:
    assert list(ROWS) == [f"A{number:02}" for number in range(1, 41)]
    assert len(re.findall(r"^\| A\d\d ", PAGE, re.M)) == len(ROWS)


def test_each_row_names_a_test_or_says_that_there_is_none() -> None:
    silent = [
        row for row, cells in ROWS.items() if "::" not in cells[3] and "not yet" not in cells[3]
    ]
    assert silent == []


def test_every_test_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE))
    assert len(named) > 60
    absent = [f"{path}::{name}" for path, name in sorted(named) if not is_there(path, name)]
    assert absent == []


def is_there(path: str, name: str) -> bool:
    """Whether the file is there and holds that test."""
    file = ROOT / path
    return file.is_file() and (not name or f"def {name}(" in file.read_text(encoding="utf-8"))
