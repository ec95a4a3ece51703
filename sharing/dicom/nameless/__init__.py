"""Copies that name nobody: PS3.15 annex E, Basic Application Level Confidentiality Profile, with
dates that are moved (Retain Longitudinal Temporal Information With Modified Dates Option).

The profile's table says what must go (`table`). It does not say that the rest is harmless, so of
the rest only that stays which can be vouched for (`vouched`): numbers, words and codes of the
standard's own. An object in whose pixels there may be text is refused (`admitted`).
"""

from .admitted import KINDS, check_admitted
from .aliases import Aliases
from .copying import PROFILE, nameless

__all__ = ["KINDS", "PROFILE", "Aliases", "check_admitted", "nameless"]
