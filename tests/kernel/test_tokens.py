"""Secrets and names are carried by addresses and by command lines."""

from sharing.kernel import tokens


def test_no_secret_or_name_reads_as_an_option_of_a_command_line() -> None:
    drawn = [make() for make in (tokens.public_id, tokens.new_secret) for _ in range(2000)]
    assert not [one for one in drawn if one.startswith("-")]


def test_a_secret_keeps_its_length_and_is_drawn_anew() -> None:
    assert {len(tokens.new_secret()) for _ in range(50)} == {43}
    assert len({tokens.public_id() for _ in range(50)}) == 50
