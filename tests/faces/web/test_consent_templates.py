"""The common consents: each is one press, one check and one signature away."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sharing.archive.models import Study
from sharing.consent.models import Consent, Grantee, Term
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.rules import Role
from sharing.web.forms.consent_templates import TEMPLATES, filled
from tests.cast import Person, Region, make_person
from tests.sessions import sign_in


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


@pytest.fixture
def study(region: Region) -> Study:
    region.at = timezone.now()
    return region.study(description="Chest with contrast")


def address(region: Region) -> str:
    return reverse("web:new-consent", args=[region.pat.public_id])


def sent(key: str, study: Study, **more: Any) -> dict[str, Any]:
    """What the browser sends when the clerk takes the template as it is, and a witness."""
    fills = {name: value for name, value in filled(key, [study]).items() if value is not False}
    told = {"verification": "verbal", "witness": "Eve Nolan", "performer": "self"}
    return {**fills, **told, **more}


MORE = {"doctor": "person", "exclusion": "person"}  # what the template leaves to be chosen


@pytest.mark.parametrize("key", [each.key for each in TEMPLATES])
def test_each_template_is_a_consent_once_its_person_is_chosen(
    region: Region, study: Study, key: str
) -> None:
    more = {"person": region.ben.user.public_id} if key in MORE else {}
    answer = browser(region.mei).post(address(region), sent(key, study, **more))
    assert answer.status_code == 302, answer.content.decode()
    consent = Consent.objects.get()
    assert consent.state == "active"
    assert "/2026-" in consent.shown
    page = browser(region.mei).get(reverse("web:consent", args=[consent.public_id]))
    assert page.status_code == 200
    assert browser(region.mei).get(reverse("web:consents")).status_code == 200


@pytest.mark.parametrize("key", [each.key for each in TEMPLATES])
def test_a_template_fills_the_form_in_and_says_what_it_means(
    region: Region, study: Study, key: str
) -> None:
    """Without a script: it is a link, and the words stand beside the form at once."""
    shown = browser(region.mei).get(f"{address(region)}?template={key}").content.decode()
    assert f'href="?template={key}" aria-current="true"' in shown
    asks = {"doctor": "Choose to whom", "exclusion": "Choose who is kept away"}
    assert asks.get(key, "As the patient reads it") in shown
    assert not Consent.objects.exists()


def test_an_unknown_template_is_the_empty_form(region: Region, study: Study) -> None:
    shown = browser(region.mei).get(f"{address(region)}?template=everything").content.decode()
    assert "aria-current" not in shown.split('class="tmpl"')[1].split("</nav>")[0]
    assert "Choose to whom the consent speaks." in shown


def test_this_study_only_covers_no_other(region: Region, study: Study) -> None:
    browser(region.mei).post(address(region), sent("study", study))
    assert [t.value for t in Term.objects.filter(axis="study")] == [study.study_uid]


def test_research_is_permitted_without_the_name_or_refused_alone(
    region: Region, study: Study
) -> None:
    mei = browser(region.mei)
    mei.post(address(region), sent("research", study))
    permit = Consent.objects.get()
    assert permit.obligations == "|deidentify|"
    actions = permit.terms.filter(axis="action").values_list("value", flat=True)
    assert Action.DOWNLOAD in set(actions)  # else there is nothing that research could have
    assert Grantee.objects.get().role == Role.RESEARCHER
    mei.post(address(region), sent("no-research", study))
    denial = Consent.objects.exclude(pk=permit.pk).get()
    purposes = denial.terms.filter(axis="purpose").values_list("value", flat=True)
    assert list(purposes) == [Purpose.RESEARCH]


def test_all_treating_doctors_see_and_a_researcher_does_not(
    region: Region, study: Study, rita: Person
) -> None:
    browser(region.mei).post(address(region), sent("treating", study))
    where = reverse("web:study", args=[study.public_id])
    assert browser(region.ben).get(where).status_code == 200
    assert browser(region.cleo).get(where).status_code == 200
    assert browser(rita).get(where).status_code == 404


def test_nobody_at_all_and_a_person_kept_away_reach_as_far_as_they_say(
    region: Region, study: Study
) -> None:
    region.permit()
    where = reverse("web:study", args=[study.public_id])
    assert browser(region.ben).get(where).status_code == 200
    browser(region.mei).post(address(region), sent("nobody", study))
    assert browser(region.ben).get(where).status_code == 404
    assert browser(region.ada).get(where).status_code == 200
    ada = {"person": region.ada.user.public_id}
    browser(region.mei).post(address(region), sent("exclusion", study, **ada))
    assert browser(region.ada).get(where).status_code == 404


def test_any_of_the_own_house_can_be_kept_away_a_clerk_too(region: Region, study: Study) -> None:
    """Who looks at a neighbour's study is seldom a doctor."""
    otto = make_person("Otto Nagel", region.riverside, Role.CLERK)
    where = reverse("web:study", args=[study.public_id])
    assert browser(otto).get(where).status_code == 200
    kept_away = sent("exclusion", study, person=otto.user.public_id)
    assert browser(region.mei).post(address(region), kept_away).status_code == 302
    assert browser(otto).get(where).status_code == 404
    assert browser(region.mei).get(where).status_code == 200


def test_the_reading_is_in_the_patient_s_language(region: Region, study: Study) -> None:
    mei, where = browser(region.mei), reverse("web:consent-preview", args=[region.pat.public_id])
    shown = mei.post(where, sent("treating", study, language="zh-Hans")).content.decode()
    assert 'lang="zh-Hans"' in shown
    assert "您同意本区域所有医生查看您的影像和报告吗？" in shown
    mei.post(address(region), sent("treating", study, language="zh-Hans"))
    consent = Consent.objects.get()
    assert (consent.language, consent.shown) == ("zh-Hans", "permit/2026-2")
