"""Verbs of the offices, by theme: testing, leaving, usage, figures, working."""

from .figures import Card, counts, held_bytes, own_card, region_cards
from .leaving import ask_closing, close, confirm_closing, export, leaving_of, stay
from .testing import ask_nightly, ask_test, link_test, run_test
from .usage import Usage, Used, own_usage, region_usage
from .working import Work, region_work, try_again

__all__ = [
    "Card",
    "Usage",
    "Used",
    "Work",
    "ask_closing",
    "ask_nightly",
    "ask_test",
    "close",
    "confirm_closing",
    "counts",
    "export",
    "held_bytes",
    "leaving_of",
    "link_test",
    "own_card",
    "own_usage",
    "region_cards",
    "region_usage",
    "region_work",
    "run_test",
    "stay",
    "try_again",
]
