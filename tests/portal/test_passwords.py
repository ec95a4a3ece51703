"""Passwords that thieves try early are refused; a sentence of one's own is not."""

import pytest
from django.contrib.auth.hashers import get_hashers
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from portal import settings as real
from sharing.tenants.models import User


@pytest.mark.parametrize(
    "typed",
    ["Password12345!", "qwertyuiop1234", "passwordpassword", "iloveyou12345", "sunshine2026!"],
)
def test_a_stolen_word_with_a_year_is_refused_and_not_said_back(typed: str) -> None:
    """Each is long enough, and none is on Django's list of whole passwords."""
    with pytest.raises(ValidationError) as refused:
        validate_password(typed)
    assert "password_guessed_early" in {each.code for each in refused.value.error_list}
    assert typed not in str(refused.value)


def test_the_name_of_who_chooses_is_no_secret() -> None:
    """Nor with a year behind it."""
    ada = User(email="adabrandt@riverside.example", name="Ada Brandt")
    with pytest.raises(ValidationError):
        validate_password("Ada Brandt 2026", ada)


@pytest.mark.parametrize(
    "typed", ["a river runs by the house", "correct-horse-battery", "seven grey herons " * 9]
)
def test_a_sentence_is_taken_however_long(typed: str) -> None:
    """What is longer than the lists reach is judged by its beginning."""
    validate_password(typed)


def test_passwords_are_kept_by_argon2_alone() -> None:
    """The tests' own faster way is not the portal's."""
    assert real.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    assert get_hashers()
