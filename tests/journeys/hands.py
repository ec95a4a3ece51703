"""How much a hospital does by hand to join: counted in the story, held to what README says."""

import re
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from tests.journeys.people import Human

README = Path(__file__).resolve().parents[2] / "README.md"
SECONDS = {"page": 5, "click": 3, "field": 12, "letter": 40}
"""What each takes a person: guessed before anything was counted, and never timed with people."""
SAID = re.compile(r"(\d+) pages, (\d+) clicks, (\d+) fields and (\d+) e-mails")
SLACK = 1.15
"""README may say a little more than was counted, and never less."""


def joined_in_minutes(people: Collection[Human]) -> None:
    """From registration to the first shared study: by all of them together, under 15 minutes."""
    done: Counter[str] = sum((human.steps for human in people), Counter())
    seconds = sum(SECONDS[step] * times for step, times in done.items())
    print(f"by hand: {dict(done)}, {seconds / 60:.1f} minutes")
    assert seconds < 15 * 60, done
    said = SAID.search(README.read_text(encoding="utf-8"))
    assert said, "README does not say how many steps it takes"
    for step, number in zip(SECONDS, map(int, said.groups()), strict=True):
        assert done[step] <= number <= max(done[step] * SLACK, done[step] + 1), (step, done)
