"""docs/components shows every component as it is, in both languages."""

from itertools import product

import pytest
import time_machine
from django.conf import settings

from tests.showcase.__main__ import HERE, LANGUAGES, ROOMS, page
from tests.showcase.states import NOW, states


def test_every_component_is_shown() -> None:
    there = {path.stem for path in (settings.BASE_DIR / "templates/components").glob("*.html")}
    assert {name for name, _, _ in states()} == there


@pytest.mark.parametrize(("folder", "language"), list(product(ROOMS, LANGUAGES)))
def test_the_pages_are_those_that_the_templates_make(folder: str, language: str) -> None:
    """After a change: `make components`, and look at them."""
    with time_machine.travel(NOW, tick=False):
        made = page(folder, language)
    assert made == (HERE / f"{folder}.{language}.html").read_text(encoding="utf-8")
