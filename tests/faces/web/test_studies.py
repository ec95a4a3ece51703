"""The lists, one study, its pictures and its log, as people meet them in the browser."""

import re
from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sharing.access.services import share
from sharing.archive.models import Series, Study
from sharing.audit.models import Event
from sharing.kernel.purposes import Purpose
from tests.cast import Person, Region, make_patient
from tests.sessions import sign_in

JPEG = b"\xff\xd8\xff\xe0 a small picture"
TABLE = 'class="dt dt-study"'


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


def page(person: Person, address: str) -> str:
    response = browser(person).get(address)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def body(content: bytes) -> str:
    """A refusal without what differs by request: the CSRF token."""
    return re.sub(
        r'(name="csrf-token" content|csrfmiddlewaretoken" value)="[^"]+"', "", content.decode()
    )


@pytest.fixture
def study(region: Region) -> Study:
    region.at = timezone.now()
    return region.study(description="Chest with contrast")


@pytest.fixture
def pictured(study: Study) -> Series:
    series = study.series.get()
    series.thumbnail, series.frame_count = JPEG, 3
    series.save()
    return series


def shared_with_hilltop(region: Region, study: Study, note: str = "Second opinion?") -> None:
    share(
        subjects=[study.subject],
        to=region.hilltop,
        purpose=Purpose.TREATMENT,
        until=timezone.now() + timedelta(days=30),
        note=note,
        by=region.ada.actor,
        at=timezone.now(),
    )


def addresses(study: Study) -> list[str]:
    series = study.series.get()
    return [
        reverse("web:study", args=[study.public_id]),
        reverse("web:study-log", args=[study.public_id]),
        reverse("web:study-state", args=[study.public_id]),
        reverse("web:study-thumbnail", args=[study.public_id]),
        reverse("web:series-thumbnail", args=[study.public_id, series.series_uid]),
        reverse("web:patient", args=[study.patient.public_id]),
        reverse("web:share") + f"?study={study.public_id}",
    ]


def test_ben_reads_the_ground_in_words_under_shared(region: Region, study: Study) -> None:
    consent = region.permit()
    shared_with_hilltop(region, study)
    shown = page(region.ben, "/?tab=shared")
    until = consent.ends_at
    assert "Chest with contrast" in shown
    assert "Patient permitted Hilltop Family Clinic for treatment" in shown
    assert f"until {until.day} {until:%b %Y}" in shown


def test_ben_loses_sight_of_the_study_when_pat_revokes(region: Region, study: Study) -> None:
    consent = region.permit()
    ben = browser(region.ben)
    where = reverse("web:study", args=[study.public_id])
    assert ben.get(where).status_code == 200
    region.revoke(consent, at=timezone.now())
    assert ben.get(where).status_code == 404
    for address in ("/", "/?tab=shared", "/studies/", "/patients/"):
        seen = ben.get(address)
        assert seen.status_code == 200
        assert "Chest with contrast" not in seen.content.decode()
        assert "MOREAU" not in seen.content.decode().upper()


def test_cleo_gets_for_each_address_what_a_missing_study_gets(
    region: Region, study: Study, pictured: Series
) -> None:
    region.permit()
    cleo = browser(region.cleo)
    for address in addresses(study):
        for known in (study.public_id, study.patient.public_id):
            address_of_nothing = address.replace(known, "A" * 22)
            if address_of_nothing != address:
                break
        hidden, absent = cleo.get(address), cleo.get(address_of_nothing)
        assert hidden.status_code == absent.status_code == 404, address
        assert body(hidden.content) == body(absent.content), address


def test_a_refused_opening_is_in_the_study_s_log(region: Region, study: Study) -> None:
    browser(region.cleo).get(reverse("web:study", args=[study.public_id]))
    shown = page(region.olga, reverse("web:study-log", args=[study.public_id]))
    assert "Cleo Stern" in shown
    assert "Refused" in shown
    assert "For treatment" in shown


def test_a_refused_picture_is_in_the_study_s_log(
    region: Region, study: Study, pictured: Series
) -> None:
    response = browser(region.cleo).get(reverse("web:study-thumbnail", args=[study.public_id]))
    assert response.status_code == 404
    assert Event.objects.filter(study=study.public_id, action="study.images.refused").exists()


def test_pictures_in_lists_leave_no_line_in_the_log(
    region: Region, study: Study, pictured: Series
) -> None:
    region.permit()
    response = browser(region.ben).get(reverse("web:study-thumbnail", args=[study.public_id]))
    assert response.content == JPEG
    assert not Event.objects.filter(action__startswith="study.images").exists()


def test_a_picture_is_kept_by_the_browser_and_asked_for_again(
    region: Region, study: Study, pictured: Series
) -> None:
    consent = region.permit()
    ben, where = browser(region.ben), reverse("web:study-thumbnail", args=[study.public_id])
    first = ben.get(where)
    assert first["Cache-Control"] == "private, no-cache"
    assert first["Content-Type"] == "image/jpeg"
    again = ben.get(where, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    region.revoke(consent, at=timezone.now())
    assert ben.get(where, headers={"If-None-Match": first["ETag"]}).status_code == 404


def test_a_patient_s_name_and_a_title_are_text_and_never_markup(region: Region) -> None:
    region.at = timezone.now()
    patient = make_patient(region.riverside, "RV-9", name="<script>alert(1)</script>^Eve")
    study = region.study(patient, description='<img src=x onerror="alert(2)">')
    for address in ("/", "/studies/", "/patients/", *addresses(study)[:1], *addresses(study)[-2:]):
        shown = page(region.ada, address)
        assert "<script>alert" not in shown, address
        assert "<SCRIPT>ALERT" not in shown, address
        assert "<img src=x" not in shown, address


def test_the_custodian_s_staff_read_who_has_access_and_others_do_not(
    region: Region, study: Study
) -> None:
    region.permit()
    region.deny(region.lakeside)
    where = reverse("web:study", args=[study.public_id])
    ours, theirs = page(region.ada, where), page(region.ben, where)
    assert "Who has access, and why" in ours
    assert "Patient refused Lakeside Imaging Centre" in ours
    assert "Who has access, and why" not in theirs
    assert "Lakeside" not in theirs


def test_a_consent_to_read_reports_only_is_named_as_such(region: Region, study: Study) -> None:
    from sharing.kernel.purposes import Action

    region.permit(actions=frozenset(Action.REPORT.ladder))
    where = reverse("web:study", args=[study.public_id])
    assert "Reports</span>" in page(region.ada, where)
    shown = page(region.ben, where)
    assert reverse("viewer:study", args=[study.public_id]) not in shown


def test_the_note_of_a_share_stands_on_the_study_for_its_readers(
    region: Region, study: Study
) -> None:
    region.permit()
    shared_with_hilltop(region, study, note="Is <b>this</b> new?\nThank you.")
    shown = page(region.ben, reverse("web:study", args=[study.public_id]))
    assert "Ada Brandt" in shown
    assert "Is &lt;b&gt;this&lt;/b&gt; new?<br>Thank you." in shown


def test_the_page_asks_each_second_until_the_study_is_complete(
    region: Region, study: Study
) -> None:
    Study.objects.filter(pk=study.pk).update(state="settling")
    ada, where = browser(region.ada), reverse("web:study-state", args=[study.public_id])
    waiting = ada.get(where).content.decode()
    assert 'hx-trigger="every 1s"' in waiting
    assert "Settling" in waiting
    Study.objects.filter(pk=study.pk).update(state="complete")
    assert "hx-trigger" not in ada.get(where).content.decode()


def test_polling_a_settling_study_leaves_no_line_in_the_log(region: Region, study: Study) -> None:
    browser(region.ada).get(reverse("web:study-state", args=[study.public_id]))
    assert not Event.objects.filter(study=study.public_id).exists()


def test_facets_count_only_what_the_reader_may_see(region: Region, study: Study) -> None:
    other = make_patient(region.riverside, "RV-2", name="Okafor^Amara")
    region.study(other, modalities="|MR|")
    region.permit()
    shown = page(region.ben, "/studies/")
    assert 'value="CT"' in shown
    assert 'value="MR"' not in shown
    assert "1 study</span>" in shown


def test_facets_are_or_inside_and_between(region: Region, study: Study) -> None:
    region.study(modalities="|MR|", description="Knee left")
    region.study(modalities="|US|", description="Thyroid")
    shown = page(region.ada, "/studies/?modality=CT&modality=MR&custodian=riverside")
    table = shown[shown.index(TABLE) :]
    assert "Chest with contrast" in table
    assert "Knee left" in table
    assert "Thyroid" not in table


def test_twenty_five_rows_stand_on_a_page(region: Region, study: Study) -> None:
    for _ in range(26):
        region.study()
    shown = page(region.ada, "/studies/")
    assert shown.count("<tr data-row") == 25
    assert "1–25 of 27" in shown
    assert page(region.ada, "/studies/?page=2").count("<tr data-row") == 2


def test_only_own_studies_can_be_chosen_for_sharing(region: Region, study: Study) -> None:
    region.permit()
    assert f'name="study" value="{study.public_id}"' in page(region.ada, "/studies/")
    assert 'name="study"' not in page(region.ben, "/studies/")
    assert 'name="study"' not in page(region.mei, "/studies/")


def test_home_is_by_what_the_roles_are_for(region: Region, study: Study) -> None:
    assert "Why you see what you see" in page(region.ada, "/")
    assert "Upload studies" in page(region.mei, "/")
    assert browser(region.olga).get("/").url == reverse("web:log")
    assert browser(region.admin).get("/").url == reverse("web:organization")


def test_ben_is_told_of_access_that_ends_within_two_weeks(region: Region, study: Study) -> None:
    region.permit(ends_at=timezone.now() + timedelta(days=5))
    assert "Access ending soon" in page(region.ben, "/")


def test_ben_is_not_told_of_access_that_lasts(region: Region, study: Study) -> None:
    region.permit()
    assert "Access ending soon" not in page(region.ben, "/")


def test_only_the_custodian_s_privacy_officer_reads_the_logs(region: Region, study: Study) -> None:
    region.permit()
    log = reverse("web:study-log", args=[study.public_id])
    for person in (region.ada, region.mei, region.ben, region.cleo, region.admin):
        assert browser(person).get(log).status_code == 404
        assert browser(person).get("/log/").status_code == 404


def test_the_organization_s_log_names_purpose_and_ground(region: Region, study: Study) -> None:
    region.permit()
    browser(region.ben).get(reverse("web:study", args=[study.public_id]))
    shown = page(region.olga, "/log/?only=others")
    assert "Ben Hartley" in shown
    assert "Patient permitted Hilltop Family Clinic" in shown
    assert "Mei Tan" not in shown


def test_an_administrator_sees_no_patient(region: Region, study: Study) -> None:
    admin = browser(region.admin)
    assert admin.get("/patients/").status_code == 404
    assert admin.get(reverse("web:patient", args=[study.patient.public_id])).status_code == 404
    assert "Chest with contrast" not in admin.get("/studies/").content.decode()


def test_a_study_is_unread_in_ben_s_lists_until_he_opens_it(region: Region, study: Study) -> None:
    region.permit()
    ben = browser(region.ben)
    for address in ("/?tab=unopened", "/studies/?unopened=1"):
        assert "Chest with contrast" in ben.get(address).content.decode(), address
    assert 'aria-label="Unread"' in ben.get("/").content.decode()
    ben.get(reverse("web:study", args=[study.public_id]))
    for address in ("/?tab=unopened", "/studies/?unopened=1"):
        assert "Chest with contrast" not in ben.get(address).content.decode(), address
    assert 'aria-label="Unread"' not in ben.get("/").content.decode()
    assert "Chest with contrast" in ben.get("/?tab=lately").content.decode()


def test_a_list_that_is_longer_than_is_counted_says_so(
    region: Region, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is whole, its numbers are of the newest, and no choice of days is missing."""
    region.study(study_date=date(2020, 1, 1))
    shown = page(region.ada, "/studies/")
    assert "2 studies" in shown
    assert "More than" not in shown
    assert "The numbers count" not in shown
    monkeypatch.setattr("sharing.archive.services.listing.MOST_COUNTED", 1)
    shown = page(region.ada, "/studies/")
    assert re.search(r"More than\s+1 study", shown)
    assert "of 1+" in shown
    assert "The numbers count your newest studies, back to" in shown
    assert "Older" in shown
    shown = page(region.ada, "/studies/?period=older")
    assert "More than" not in shown
    assert "1 study" in shown


def test_ben_saves_a_search_opens_it_and_deletes_it(region: Region, study: Study) -> None:
    ben = browser(region.ben)
    said = {"name": "New <CT>", "query": "modality=CT&page=3&csrf=x&unopened=1"}
    saved = ben.post(reverse("web:save-search"), said)
    assert saved.url == "/studies/?modality=CT&unopened=1"
    shown = ben.get(saved.url).content.decode()
    assert "New &lt;CT&gt;" in shown
    assert 'aria-current="true"' in shown
    (forget,) = set(re.findall(r"/searches/[\w-]{22}/delete/", shown))
    assert browser(region.ada).post(forget).status_code == 404
    assert ben.post(forget).status_code == 302
    assert "New &lt;CT&gt;" not in ben.get("/studies/").content.decode()


@pytest.mark.parametrize("said", [{"name": "", "query": "own=1"}, {"name": "A", "query": ""}])
def test_a_search_without_a_name_or_a_filter_is_not_saved(
    region: Region, said: dict[str, str]
) -> None:
    ben = browser(region.ben)
    shown = ben.post(reverse("web:save-search"), said, follow=True).content.decode()
    assert "Nothing was saved" in shown
    assert "/delete/" not in shown
