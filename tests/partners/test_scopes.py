"""Scopes: our own words and SMART's, and what one says of the other."""

import pytest

from sharing.partners.rules import (
    MEANS,
    SCOPES,
    WIDENS,
    allows,
    expanded,
    in_words,
    is_known,
    is_within,
    smart,
)


@pytest.mark.parametrize(
    ("scope", "meaning"),
    [
        ("system/ImagingStudy.rs", ("system", "ImagingStudy", "rs")),
        ("user/*.cruds", ("user", "*", "cruds")),
        ("system/Patient.read", ("system", "Patient", "rs")),
        ("system/*.*", ("system", "*", "cruds")),
        ("patient/ImagingStudy.rs", None),
        ("system/Observation.rs", None),
        ("system/ImagingStudy.", None),
        ("system/ImagingStudy.sr", None),
        ("system/ImagingStudy.rs?modality=CT", None),
        ("System/ImagingStudy.rs", None),
        ("studies.read", None),
    ],
)
def test_a_smart_scope_has_one_reading(scope: str, meaning: tuple[str, str, str] | None) -> None:
    """And what might mean less than we would give means nothing."""
    assert smart(scope) == meaning


def test_a_part_of_a_scope_opens_no_more_than_it_says() -> None:
    assert "studies.read" in expanded("system/ImagingStudy.rs")
    assert "studies.read" not in expanded("system/ImagingStudy.s")
    assert expanded("system/ImagingStudy.rs") & {"studies.delete", "dicomweb.write"} == set()
    assert "consents.write" not in expanded("user/Consent.rs")
    assert "dicomweb.write" in expanded("system/*.cruds")


def test_a_scope_opens_its_letters_of_its_resource_alone() -> None:
    """All resources, all letters, each scope by itself."""
    for resource, letters in WIDENS:
        carried = expanded(f"system/{resource}.{letters}")
        for other, _ in MEANS:
            for letter in "cruds":
                if allows(carried, other, letter):
                    assert letter in letters
                    assert other == resource or "studies.read" in carried or "staff.read" in carried
    assert not allows(expanded("studies.read"), "Consent", "r")
    assert not allows(expanded("studies.read"), "AuditEvent", "s")
    assert not allows(expanded("studies.read"), "ImagingStudy", "d")
    assert allows(expanded("user/*.rs"), "AuditEvent", "r")


def test_what_is_asked_for_lies_inside_what_was_given() -> None:
    assert is_within("system/ImagingStudy.r", ["system/*.rs"])
    assert is_within("system/ImagingStudy.rs", ["system/ImagingStudy.r", "system/ImagingStudy.s"])
    assert not is_within("system/ImagingStudy.d", ["system/*.rs"])
    assert not is_within("user/ImagingStudy.r", ["system/*.rs"])
    assert not is_within("system/*.r", ["system/ImagingStudy.rs"])
    assert not is_within("studies.read", ["system/ImagingStudy.rs"])


def test_apps_and_machines_ask_for_scopes_of_their_own_kind() -> None:
    assert is_known("user/Patient.rs", person=True)
    assert not is_known("user/Patient.rs", person=False)
    assert is_known("system/Patient.rs", person=False)
    assert not is_known("system/Patient.rs", person=True)
    assert not is_known("everything", person=True)


def test_every_scope_has_words_that_a_person_reads() -> None:
    for scope in (*SCOPES, "user/*.rs", "user/Patient.cruds"):
        assert in_words(scope) != scope
