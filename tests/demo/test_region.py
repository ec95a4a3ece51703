"""`manage.py demo` makes a region in which the story can be seen, and makes it once."""

from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from itertools import islice

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from sharing.archive.services.finding import find_studies, grounds
from sharing.archive.services.unnamed import kinds_to_copy
from sharing.consent.rules import media_type_of
from sharing.demo import people, phantoms, story
from sharing.demo.management.commands.demo import PASSWORD
from sharing.demo.phantoms import DemoStudy
from sharing.tenants.rules import Role
from sharing.tenants.services import applications, found_operator, user_needs

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("demo")]


@pytest.fixture(scope="module")
def first_files() -> list[tuple[str, str, list[bytes]]]:
    """The first file of every study: enough for a region, and quickly drawn."""
    return [
        (study.organization_code, study.description, list(islice(study.files, 1)))
        for study in phantoms.studies()
    ]


@pytest.fixture(autouse=True)
def small_studies(
    first_files: list[tuple[str, str, list[bytes]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def few() -> Iterator[DemoStudy]:
        return (DemoStudy(code, what, iter(files)) for code, what, files in first_files)

    monkeypatch.setattr(story, "studies", few)


def _demo(**options: str) -> str:
    out = StringIO()
    call_command("demo", stdout=out, **options)
    return out.getvalue()


def _sees(code: str, role: Role, at: datetime) -> list[str]:
    actor = people.actor(code, role)
    found = grounds(actor, list(find_studies(actor, at=at)), at=at)
    return sorted(f"{f.study.patient.latin}: {f.decision.reason}" for f in found)


def test_ben_sees_what_patients_permitted_hilltop() -> None:
    _demo()
    seen = [line for line in _sees("hilltop", Role.PHYSICIAN, timezone.now()) if "Patient" in line]
    assert [line.split(",")[0].split(" ")[0].lower() for line in seen] == [
        "chen", "example", "moreau", "moreau", "zhao",
    ]  # fmt: skip
    assert all("Patient permitted Hilltop Family Clinic for treatment, until" in s for s in seen)


def test_ben_finds_pats_studies_among_the_shared_ones() -> None:
    _demo()
    ben = people.actor("hilltop", Role.PHYSICIAN)
    shared = find_studies(ben, at=timezone.now(), shared=True, query="Moreau")
    assert {study.description for study in shared} == {
        "CT head without contrast",
        "Chest, two views",
    }


def test_cleo_sees_only_what_her_own_house_holds() -> None:
    _demo()
    seen = _sees("lakeside", Role.PHYSICIAN, timezone.now())
    assert seen
    assert all("Your own organization holds this study" in line for line in seen)
    assert not any("MOREAU" in line.upper() for line in seen)


def test_zhang_wei_sees_lins_chest_and_rita_has_copies_of_it_without_names() -> None:
    _demo()
    zhang, now = people.actor("mingde", Role.PHYSICIAN), timezone.now()
    found = find_studies(zhang, at=now, custodian="riverside")
    assert [study.description for study in found] == ["CT chest with contrast"]
    rita = people.actor("hilltop", Role.RESEARCHER)
    assert [kind.modality for kind in kinds_to_copy(rita, at=now)] == ["CT"]
    assert not find_studies(rita, at=now)


def test_the_sandbox_holds_what_is_of_nobody_and_shows_it_to_its_own() -> None:
    _demo()
    seen = _sees("sandbox", Role.PHYSICIAN, timezone.now())
    assert [line.split(":")[0] for line in seen] == ["EXAMPLE Max", "SAMPLE Anna"]


def test_the_names_come_in_both_scripts() -> None:
    _demo()
    mei, now = people.actor("riverside", Role.CLERK), timezone.now()
    study = find_studies(mei, at=now, query="林晓燕").get()
    assert study.patient.native == "林晓燕"
    assert (study.patient.issuer, study.patient.identifier) == ("RV", "204 8817")


def test_a_second_run_changes_nothing() -> None:
    _demo()
    mei, now = people.actor("riverside", Role.CLERK), timezone.now()
    before = list(find_studies(mei, at=now).values_list("public_id", "changed_at"))
    assert "there already" in _demo()
    assert list(find_studies(mei, at=now).values_list("public_id", "changed_at")) == before


def test_an_interrupted_load_is_finished_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(**_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(story, "tell_story", breaks)
        with pytest.raises(KeyboardInterrupt):
            _demo()
    assert "Consents are recorded" in _demo()
    assert "there already" in _demo()


def test_everybody_signs_in_with_the_printed_password_and_no_second_factor() -> None:
    printed = _demo()
    assert PASSWORD in printed
    for account in people.accounts():
        assert account.email in printed
        user = authenticate(email=account.email, password=PASSWORD)
        assert user is not None
        assert user_needs(user, has_second_factor=False) is None


def test_one_application_waits_for_the_operator() -> None:
    _demo()
    rows = applications(people.actor("operator", Role.OPERATOR))
    assert [row.name for row in rows if row.state == "verified"] == ["Northgate Eye Hospital"]


def test_a_database_with_another_region_is_left_alone() -> None:
    now = timezone.now()
    found_operator(name="North", email="x@north.example", person="X", password=PASSWORD, at=now)
    with pytest.raises(CommandError, match="another region"):
        _demo()


def test_production_gets_no_known_password(settings: Settings) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="--password"):
        _demo()
    assert PASSWORD not in _demo(password="chosen-by-the-operator")


def test_the_form_that_stands_for_a_signature_is_a_pdf() -> None:
    form = story.consent_form()
    assert media_type_of(form[:16]) == "application/pdf"
    start = int(form.rsplit(b"startxref\n", 1)[1].split()[0])
    assert form[start : start + 4] == b"xref"
