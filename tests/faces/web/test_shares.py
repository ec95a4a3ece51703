"""Sharing from the browser: what is possible, what it changes, what the recipients read."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sharing.access.models import Grant, Share
from sharing.archive.models import Study
from sharing.kernel.purposes import Action
from sharing.tenants.rules import Role, TeamKind
from sharing.tenants.services import found_team, join_team
from sharing.web import words
from tests.cast import Person, Region, make_person
from tests.sessions import sign_in

SHARE = "/share/"


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


@pytest.fixture
def study(region: Region) -> Study:
    region.at = timezone.now()
    return region.study(description="Chest with contrast")


def form(*studies: Study, **changes: Any) -> dict[str, Any]:
    until = words.day(timezone.now().date() + timedelta(days=30))
    filled = {"to": "hilltop", "purpose": "TREAT", "until": until, "note": "Second opinion?"}
    return {"study": [each.public_id for each in studies]} | filled | changes


def test_ada_shares_two_studies_and_ben_finds_them_under_shared(
    region: Region, study: Study
) -> None:
    region.permit()
    second = region.study(description="Chest, two views")
    answer = browser(region.ada).post(SHARE, form(study, second))
    assert answer.status_code == 302
    assert Grant.objects.count() == 2
    shown = browser(region.ben).get("/?tab=shared").content.decode()
    assert "Chest with contrast" in shown
    assert "Chest, two views" in shown


def test_a_share_inside_a_consent_that_lets_us_name_carries_access(
    region: Region, study: Study
) -> None:
    region.permit(organizations=(), named_by_custodian=True)
    ben, where = browser(region.ben), reverse("web:study", args=[study.public_id])
    assert ben.get(where).status_code == 404
    assert browser(region.ada).post(SHARE, form(study)).status_code == 302
    assert "Shared by Ada Brandt as the patient permitted" in ben.get(where).content.decode()


def test_a_clerk_can_t_share(region: Region, study: Study) -> None:
    region.permit()
    for person in (region.mei, region.olga, region.admin):
        where = f"{SHARE}?study={study.public_id}"
        assert browser(person).get(where).status_code == 404
        assert browser(person).post(SHARE, form(study)).status_code == 404
    assert not Share.objects.exists()


def test_ben_can_t_share_on_what_was_shared_with_him(region: Region, study: Study) -> None:
    region.permit()
    ben = browser(region.ben)
    assert ben.get(f"{SHARE}?study={study.public_id}").status_code == 404
    assert ben.post(SHARE, form(study, to="lakeside")).status_code == 404
    assert not Share.objects.exists()


def test_whom_no_consent_covers_can_t_be_chosen_and_it_says_why(
    region: Region, study: Study
) -> None:
    region.permit()
    region.deny(region.lakeside)
    shown = browser(region.ada).get(f"{SHARE}?study={study.public_id}").content.decode()
    choice = shown[shown.index('value="lakeside"') :]
    assert "disabled" in choice[: choice.index(">")]
    assert "Patient refused Lakeside Imaging Centre for treatment" in choice


def test_a_share_outside_the_consent_is_not_saved(region: Region, study: Study) -> None:
    region.permit()
    answer = browser(region.ada).post(SHARE, form(study, to="lakeside"))
    assert answer.status_code == 422
    assert (
        "neither names them nor lets the custodian name them. Nobody gained access."
        in answer.content.decode()
    )
    assert not Share.objects.exists()


def test_a_share_can_t_outlive_the_consent(region: Region, study: Study) -> None:
    consent = region.permit(ends_at=timezone.now() + timedelta(days=10))
    answer = browser(region.ada).post(SHARE, form(study))
    assert answer.status_code == 422
    assert f"The consent ends {words.day(consent.ends_at)}." in answer.content.decode()
    assert not Share.objects.exists()


def test_the_suggested_day_is_never_later_than_the_consent(region: Region, study: Study) -> None:
    consent = region.permit(ends_at=timezone.now() + timedelta(days=10))
    shown = browser(region.ada).get(f"{SHARE}?study={study.public_id}").content.decode()
    assert f'value="{words.day(consent.ends_at)}"' in shown


def test_on_the_consents_last_day_the_share_ends_with_it(region: Region, study: Study) -> None:
    consent = region.permit()
    last = words.day(timezone.localtime(consent.ends_at).date())
    assert browser(region.ada).post(SHARE, form(study, until=last)).status_code == 302
    assert Grant.objects.get().ends_at == consent.ends_at


def test_errors_keep_the_note(region: Region, study: Study) -> None:
    region.permit()
    answer = browser(region.ada).post(SHARE, form(study, until="never", note="Please <look>."))
    assert answer.status_code == 422
    assert "Please &lt;look&gt;." in answer.content.decode()
    assert "Write the day as 22 Feb 2027." in answer.content.decode()


def test_the_preview_names_the_button_and_what_is_new(region: Region, study: Study) -> None:
    region.permit(organizations=(), named_by_custodian=True)
    filled = form(study)
    answer = browser(region.ada).post(reverse("web:share-preview"), filled)
    shown = answer.content.decode()
    end = filled["until"].rsplit(" ", 1)[0]
    assert f"Share with Hilltop until {end}" in shown
    assert "will be able to view 1 study that they can’t find today" in shown
    assert "Inside the consent" in shown
    assert not Share.objects.exists()


def test_studies_that_are_not_ours_can_t_be_shared(region: Region, study: Study) -> None:
    cleo = browser(region.cleo)
    assert cleo.get(f"{SHARE}?study={study.public_id}").status_code == 404
    assert cleo.get(f"{SHARE}?study={'A' * 22}").status_code == 404


def test_sharing_nothing_leads_back_to_the_own_studies(region: Region) -> None:
    assert browser(region.ada).get(SHARE).url == "/studies/?own=1"
    assert browser(region.mei).get(SHARE).status_code == 404
    assert browser(region.ada).post(SHARE, {"to": "hilltop"}).status_code == 404


ALL = frozenset({*Action.DOWNLOAD.ladder, Action.RESHARE})


def test_a_patients_studies_also_to_come_are_shared_with_one_person_and_ended(
    region: Region, study: Study
) -> None:
    region.permit(organizations=(), named_by_custodian=True, actions=ALL)
    ada, ben = browser(region.ada), browser(region.ben)
    asked = form(study, person=region.ben.user.public_id, what="all", may="download", onward="on")
    shown = ada.post(reverse("web:share-preview"), asked).content.decode()
    assert "Ben Hartley at Hilltop Family Clinic" in shown
    assert "What comes later opens too" in shown
    assert ada.post(SHARE, asked).status_code == 302
    where = reverse("web:study", args=[region.study(description="Later").public_id])
    opened = ben.get(where).content.decode()
    assert "Shared by Ada Brandt" in opened
    assert f"{SHARE}?study=" in opened  # he may share it on
    listed = ada.get("/shares/").content.decode()
    assert "Ben Hartley" in listed
    assert "All studies, also to come" in listed
    assert ada.post(f"/shares/{Share.objects.get().public_id}/end/").status_code == 302
    assert ben.get(where).status_code == 404


def test_the_form_says_study_by_study_what_is_missing(region: Region, study: Study) -> None:
    region.permit(organizations=(), named_by_custodian=True, modalities=frozenset({"CT"}))
    other = region.study(description="Knee left", modalities="|MR|")
    for asked, words_shown in (
        (form(study, other), "Knee left, 12 Nov 2026: C-1001 v1 does not cover this study."),
        (form(study, may="download"), "C-1001 v1 does not let anybody download."),
        (form(study, person=region.cleo.user.public_id), "is not at the organization"),
    ):
        answer = browser(region.ada).post(SHARE, asked)
        assert answer.status_code == 422
        assert words_shown in answer.content.decode()
    assert not Share.objects.exists()


def test_ada_shares_with_the_chest_clinic_of_hilltop(region: Region, study: Study) -> None:
    region.permit(organizations=(), named_by_custodian=True)
    chief, now = make_person("Inga Falk", region.hilltop, Role.ADMINISTRATOR).actor, region.at
    chest = found_team(kind=TeamKind.DEPARTMENT, name="Chest clinic", by=chief, at=now)
    join_team(team=chest, user=region.ben.user, by=chief, at=now)
    ada, asked = browser(region.ada), form(study, person=f"team:{chest.public_id}")
    page = ada.get(f"{SHARE}?study={study.public_id}").content.decode()
    assert f'<option value="team:{chest.public_id}">Chest clinic</option>' in page
    shown = ada.post(reverse("web:share-preview"), asked).content.decode()
    assert "1 person of Chest clinic at Hilltop Family Clinic" in shown
    assert "Share with Chest clinic until" in shown
    assert ada.post(SHARE, asked | {"to": "lakeside"}).status_code == 422
    assert ada.post(SHARE, asked).status_code == 302
    assert "Chest clinic" in ada.get("/shares/").content.decode()
    own = ada.get(reverse("web:study", args=[study.public_id])).content.decode()
    assert "a department" in own
    assert "with Chest clinic by Ada Brandt" in own
    ben = browser(region.ben).get(reverse("web:study", args=[study.public_id]))
    assert "Shared by Ada Brandt" in ben.content.decode()
