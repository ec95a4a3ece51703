"""Names as people write and look for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.dicom.names import PersonName, display_name, fold, name_keys, search_key


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("LIN^Xiaoyan=林^晓燕", ("LIN Xiaoyan", "林晓燕")),
        ("Müller^Jörg^^Dr.", ("MÜLLER Jörg", "")),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", ("YAMADA Tarou", "山田太郎")),
        ("王^小明", ("", "王小明")),
        ("Doe", ("DOE", "")),
        ("", ("", "")),
        ("^^^^", ("", "")),
        ("Люкceмбypг", ("ЛЮКCEМБYPГ", "")),
    ],
)
def test_a_name_is_shown_family_first_in_capitals(value: str, shown: tuple[str, str]) -> None:
    assert display_name(value) == shown


def test_a_name_is_split_into_its_parts() -> None:
    name = PersonName.parse("Adams^John Robert^Quincy^Rev.^B.A.")
    assert (name.family, name.given, name.middle) == ("Adams", "John Robert", "Quincy")
    assert (name.prefix, name.suffix) == ("Rev.", "B.A.")


@pytest.mark.parametrize("query", ["muller", "Müller", "JORG", "jörg"])
def test_accents_and_case_do_not_matter_to_a_search(query: str) -> None:
    assert fold(query) in search_key("Müller^Jörg")


@pytest.mark.parametrize("query", ["林晓燕", "林", "xiaoyan"])
def test_every_group_of_a_name_is_searched(query: str) -> None:
    assert fold(query) in search_key("LIN^Xiaoyan=林^晓燕")


def test_japanese_voicing_marks_are_letters_and_stay() -> None:
    assert fold("がぎ") != fold("かき")


@given(st.text(max_size=80))
def test_no_text_breaks_a_name(words: str) -> None:
    display_name(words)
    assert search_key(words) == fold(search_key(words))


@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("Müller^Jörg", ["muller jorg ", "jorg "]),
        ("LIN^Xiaoyan=林^晓燕", ["lin xiaoyan ", "xiaoyan ", "林 晓燕 ", "晓燕 ", "林晓燕 "]),
        ("曾国藩", ["曾国藩 ", "zeng guofan ", "ceng guofan ", "guofan "]),
        ("=吕^布", ["吕 布 ", "布 ", "吕布 ", "lv bu ", "lu bu ", "lyu bu ", "bu "]),
        (
            "=山田^太郎=やまだ^たろう",
            ["山田 太郎 ", "やまだ たろう ", "たろう ", "shantian tailang "],
        ),
        ("", []),
    ],
)
def test_a_name_can_be_entered_at_each_word_and_by_its_pinyin(
    name: str, entries: list[str]
) -> None:
    assert set(entries) <= set(name_keys(name))
    assert len(name_keys(name)) <= 12
