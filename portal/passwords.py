"""A password that thieves try early is no password: their lists are bundled with zxcvbn.

Django's own check knows a list of whole passwords; few of them have twelve characters. What is
tried in truth are their combinations: a word of the list with a year, a sign, letters as figures.
"""

from typing import Any

from django.core.exceptions import ValidationError

FEWEST_GUESSES = 8
"""As a power of ten: zxcvbn's third step of four, beyond what is guessed at a sign-in page."""
LONGEST = 72


class NotGuessedEarly:
    """Refuses what the lists of stolen passwords and words lead to within 100 million guesses."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError; nothing of what was typed is said back."""
        from zxcvbn import zxcvbn  # its lists take a tenth of a second and some memory

        known = [part for part in (getattr(user, "email", ""), getattr(user, "name", "")) if part]
        found = zxcvbn(password[:LONGEST], user_inputs=known)
        if float(found["guesses_log10"]) < FEWEST_GUESSES:
            raise ValidationError(
                "This password is made of parts that were stolen elsewhere and are tried first.",
                code="password_guessed_early",
            )

    def get_help_text(self) -> str:
        """For the forms that list all rules."""
        return "A sentence of your own holds; a known word with a year does not."
