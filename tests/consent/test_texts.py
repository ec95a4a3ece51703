"""What patients read: in both languages the same, never changed once published, in plain words."""

import string
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from sharing.consent import texts
from sharing.consent.errors import TextUnknown
from sharing.consent.rules import Decision, Force, GranteeKind, Performer
from sharing.consent.services import EVERYONE, Said, Seen, Whom, reading_of
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.tenants.rules import Role
from tests.cast import Region

# What was published, for good: a new wording is a new file and a new line here.
PUBLISHED = {
    "exclude/2026-1.en.toml": "820d0ea1348a82f4",
    "exclude/2026-1.zh-Hans.toml": "6a53b77ada09c83d",
    "exclude_for/2026-1.en.toml": "443db941bfddc4a6",
    "exclude_for/2026-1.zh-Hans.toml": "b1d72b609ff7a295",
    "opt_out/2026-1.en.toml": "88c9ea0226ce67bc",
    "opt_out/2026-1.zh-Hans.toml": "bd15b9b8aefd41cf",
    "opt_out_for/2026-1.en.toml": "8a69ddc2f46cf645",
    "opt_out_for/2026-1.zh-Hans.toml": "0683e890585fe28a",
    "paper/2026-1.en.toml": "81524869d5c9bdfb",
    "paper/2026-1.zh-Hans.toml": "63eeeb140c34d686",
    "paper/2026-2.en.toml": "233ca1b43a5ace4c",
    "paper/2026-2.zh-Hans.toml": "db02cea4f24abeb9",
    "permit/2026-1.en.toml": "31afacc1ff8c1169",
    "permit/2026-1.zh-Hans.toml": "a2d0d9debdd98e67",
    "permit/2026-2.en.toml": "f8db34e8aabbe332",
    "permit/2026-2.zh-Hans.toml": "386bdf28b609f524",
    "permit_for/2026-1.en.toml": "06f0bec0d7db64f0",
    "permit_for/2026-1.zh-Hans.toml": "23e1acd36a904d1c",
    "phone/2026-1.en.toml": "1f2a975a98436191",
    "phone/2026-1.zh-Hans.toml": "a2c3c9ca926da0bd",
    "phone_for/2026-1.en.toml": "a2cd137048636baf",
    "phone_for/2026-1.zh-Hans.toml": "ce6c67be44ec3e0c",
    "refuse/2026-1.en.toml": "9fe1bde032d8bc99",
    "refuse/2026-1.zh-Hans.toml": "04bbeeea28c5cccc",
    "refuse_for/2026-1.en.toml": "f6f848ede70c47ce",
    "refuse_for/2026-1.zh-Hans.toml": "d0d98ac3bae011d7",
    "withdraw/2026-1.en.toml": "d4a5724d526d70f7",
    "withdraw/2026-1.zh-Hans.toml": "d65a3fb7852aae2d",
    "withdraw_for/2026-1.en.toml": "dd152446f722704f",
    "withdraw_for/2026-1.zh-Hans.toml": "bd23a6df025211d9",
    "words/2026-1.en.toml": "1a680eb76fc1556c",
    "words/2026-1.zh-Hans.toml": "e699eaea63f8bef8",
    "words/2026-2.en.toml": "1a680eb76fc1556c",
    "words/2026-2.zh-Hans.toml": "e699eaea63f8bef8",
    "words_for/2026-1.en.toml": "87da05fe83b76162",
    "words_for/2026-1.zh-Hans.toml": "15ddf61b2a8e3b94",
}
NAMES = sorted({name.partition(".")[0] for name in PUBLISHED})
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ENDS = datetime(2027, 6, 30, 12, 0, tzinfo=UTC)


def said(**changes: Any) -> Said:
    values = {
        "decision": Decision.PERMIT,
        "starts_at": AT,
        "ends_at": ENDS,
        "purposes": frozenset({Purpose.TREATMENT}),
        "actions": frozenset(Action.IMAGES.ladder),
    } | changes
    return Said(**values)


def test_a_published_text_never_changes() -> None:
    """The hash of each file is the one that it was published with, and none has gone."""
    listed = {name: digest[:16] for name, digest in texts.published().items()}
    assert listed == PUBLISHED
    for name in PUBLISHED:
        file, _, language = name.removesuffix(".toml").partition(".")
        assert texts.text(file, language).sha256.startswith(PUBLISHED[name])


def test_no_file_is_unpublished() -> None:
    found = {path.relative_to(texts.FOLDER).as_posix() for path in texts.FOLDER.rglob("*.toml")}
    assert found == set(PUBLISHED)


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_of_a_version_have_the_same_parts_and_gaps(name: str) -> None:
    first, second = (texts.text(name, language).parts for language in texts.LANGUAGES)
    assert gaps(first) == gaps(second)


def gaps(parts: Any) -> Any:
    """The shape of the parts: which there are, how many lines, which gaps stand in each."""
    if isinstance(parts, str):
        return {gap for _, gap, _, _ in string.Formatter().parse(parts) if gap}
    if isinstance(parts, list):
        return [gaps(each) for each in parts]
    return {name: gaps(each) for name, each in parts.items()}


def test_a_changed_file_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = dict(texts.published()) | {"permit/2026-1.en.toml": "0" * 64}
    monkeypatch.setattr(texts, "published", lambda: listed)
    with pytest.raises(TextUnknown):
        texts.text.__wrapped__("permit/2026-1", "en")


@pytest.mark.parametrize("name", ["permit/2026-9", "../errors", "permit", ""])
def test_a_name_that_was_not_published_opens_no_file(name: str) -> None:
    with pytest.raises(TextUnknown):
        texts.text(name, "en")


def test_newer_versions_are_taken_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = dict.fromkeys(["permit/2026-9.en.toml", "permit/2026-10.en.toml"], "")
    monkeypatch.setattr(texts, "published", lambda: listed)
    asked: list[str] = []
    monkeypatch.setattr(texts, "text", lambda name, language: asked.append(name))
    texts.newest.__wrapped__("permit", "en")
    assert asked == ["permit/2026-10"]


def test_pat_reads_one_question_and_four_facts(region: Region) -> None:
    """In English and in Chinese, each with its own names and dates."""
    region.hilltop.native_name = "山顶诊所"
    region.riverside.native_name = "河畔总医院"
    words = said(organizations=(region.hilltop,), modalities=frozenset({"CT", "DX", "CR"}))
    shown = reading_of(words, patient=region.pat, custodian=region.riverside, language="en")
    assert shown.question == (
        "May Hilltop Family Clinic see your images and reports (X-ray and CT)?"
    )
    assert [value for _, value in shown.facts][2:] == ["To treat you", "30 Jun 2027"]
    assert shown.calm == "Saying no does not change your care here."
    zh = reading_of(words, patient=region.pat, custodian=region.riverside, language="zh-Hans")
    assert zh.question == "您同意山顶诊所查看您的影像和报告（X光和CT）吗？"
    assert zh.patient == "莫帕"
    assert [value for _, value in zh.facts][2:] == ["为您看病", "2027年6月30日"]
    assert zh.calm == "不同意不影响您在这里看病。"


def test_what_leaves_is_said_to_leave(region: Region) -> None:
    def promises(**changes: Any) -> list[str]:
        words = said(organizations=(region.hilltop,), **changes)
        shown = reading_of(words, patient=region.pat, custodian=region.riverside, language="en")
        return [sentence for _, sentence in shown.promises]

    assert "They may not download anything or pass it on to others." in promises()
    leaving = promises(actions=frozenset(Action.DOWNLOAD.ladder))
    assert "They may keep copies. A copy that has left cannot be called back." in leaving
    assert not any("not download" in sentence for sentence in leaving)
    unnamed = promises(obligations=frozenset({Obligation.DEIDENTIFY}))
    assert unnamed[0] == "Your name and your birth date are taken out first."


@pytest.mark.parametrize("language", list(texts.LANGUAGES))
def test_every_kind_of_grantee_and_force_has_its_words(region: Region, language: str) -> None:
    """No gap stays open, and nobody stays unnamed."""
    everybody = (
        Whom(GranteeKind.NAMED_BY_CUSTODIAN),
        Whom(GranteeKind.LINK),
        Whom(GranteeKind.ROLE, role=Role.RESEARCHER),
        Whom(GranteeKind.ROLE, organization=region.hilltop, role=Role.PHYSICIAN),
        Whom(GranteeKind.PRACTITIONER, user=region.ben.user),
        EVERYONE,
    )
    denial = said(decision=Decision.DENY, ends_at=None, purposes=frozenset(Purpose))
    cases = [
        said(others=(whom,), studies=frozenset({"1.2"}), data_from=date(2024, 1, 1))
        for whom in everybody
    ]
    cases += [replace(denial, force=force, others=(EVERYONE,)) for force in Force]
    for words in cases:
        shown = reading_of(
            words,
            patient=region.pat,
            custodian=region.riverside,
            language=language,
            studies=[Seen(("CT",), date(2026, 11, 12)), Seen((), None)],
        )
        lines = [shown.question, *shown.full, *(value for _, value in shown.facts)]
        assert all(line and "{" not in line for line in lines), lines


def test_what_the_patient_asks_for_is_read_too(region: Region) -> None:
    asked = said(
        organizations=(region.hilltop,),
        obligations=frozenset({Obligation.WATERMARK, Obligation.NOTIFY_PATIENT}),
        maximum_uses=3,
    )
    read = {
        (language, name): reading_of(
            asked, patient=region.pat, custodian=region.riverside, language=language, name=name
        )
        for language in texts.LANGUAGES
        for name in ("", "permit/2026-1")
    }
    sentences = [sentence for _, sentence in read["en", ""].promises]
    assert sentences[:3] == [
        "Each image carries the name of who looks at it.",
        "You are told of each opening.",
        "They may open a study 3 times at most.",
    ]
    assert "最多可查看3次。" in [sentence for _, sentence in read["zh-Hans", ""].promises]
    for language in texts.LANGUAGES:  # what was shown before is read as it was shown
        assert len(read[language, "permit/2026-1"].promises) == len(sentences) - 3


@pytest.mark.parametrize("language", list(texts.LANGUAGES))
def test_who_speaks_for_pat_reads_of_pat_and_never_of_their_own_images(
    region: Region, language: str
) -> None:
    """Every text that Pat would read has one for who speaks for Pat, in both languages."""
    others = {"performer": Performer.GUARDIAN, "performer_name": "Lea"}
    denial = said(decision=Decision.DENY, ends_at=None, purposes=frozenset(Purpose), **others)
    permit = said(organizations=(region.hilltop,), **others)
    exclusion = replace(denial, force=Force.EXCLUSION, practitioners=(region.ben.user,))
    cases = [permit, replace(denial, others=(EVERYONE,)), exclusion]
    cases.append(replace(denial, force=Force.OPT_OUT, others=(EVERYONE,)))
    for words in cases:
        shown = reading_of(words, patient=region.pat, custodian=region.riverside, language=language)
        assert shown.name.split("/")[0].endswith("_for")
        assert shown.patient in shown.question
        read = [shown.lead, shown.question, shown.calm, shown.signed, *shown.full]
        read += [value for _, value in (*shown.facts, *shown.promises)]
        assert not [line for line in read if "{" in line]
        mine = ("your images", "your image", "your care", "treat you", "my images", "您的影像")
        assert not [line for line in read if any(each in line for each in mine)]
    assert [reading_of(
        replace(permit, performer=Performer.SELF), patient=region.pat, custodian=region.riverside,
        language=language,
    ).name] == ["permit/2026-2"]  # fmt: skip


def test_the_pages_of_a_phone_and_the_paper_have_words_for_who_speaks_for_a_patient() -> None:
    for language in texts.LANGUAGES:
        for key in ("phone", "withdraw", "words"):
            own, others = texts.newest(key, language), texts.newest(f"{key}_for", language)
            assert gaps(own.parts).items() <= gaps(others.parts).items()
            assert own.parts != others.parts
        assert texts.newest("paper", language).parts["qr_for"]
