"""The page that replays a decision: for the custodian's people, and for everybody about oneself."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sharing.archive.models import Study
from tests.cast import Person, Region
from tests.sessions import sign_in

DAY = timedelta(days=1)


@pytest.fixture
def study(region: Region) -> Study:
    region.at = timezone.now() - DAY
    return region.study()


def ask(person: Person, study: Study, **said: str) -> Any:
    return sign_in(Client(), person.user).get(f"/studies/{study.public_id}/explain/", said)


def about(person: Person) -> str:
    return f"{person.organization.code}:{person.user.public_id}"


def test_olga_reads_why_ben_may_not_and_what_would_help(region: Region, study: Study) -> None:
    page = ask(region.olga, study, who=about(region.ben), do="images").content.decode()
    assert "Not allowed" in page
    assert "Ben Hartley, Hilltop Family Clinic, for treatment: view images" in page
    assert "A consent names Hilltop Family Clinic for treatment, and lets them view images" in page
    assert "Did the patient permit it to them? No." in page


def test_mei_reads_the_consent_by_which_ben_may(region: Region, study: Study) -> None:
    region.permit()
    page = ask(region.mei, study, who=about(region.ben)).content.decode()
    assert "Allowed" in page
    assert "C-1001 v1" in page
    assert "This decided." in page


def test_what_is_meant_where_nothing_is_chosen_stands_first_in_the_form(
    region: Region, study: Study
) -> None:
    page = ask(region.olga, study).content.decode()
    assert ": view images" in page
    first = page[page.index('name="do"') :].partition("</option>")[0]
    assert first.rstrip().endswith("View images")


def test_the_past_is_told_as_it_was(region: Region, study: Study) -> None:
    consent = region.permit(at=timezone.now() - 9 * DAY)
    region.revoke(consent, at=timezone.now() - 2 * DAY)
    day = timezone.localdate() - 3 * DAY
    then = ask(region.olga, study, who=about(region.ben), day=day.isoformat(), clock="12:00")
    assert "Patient permitted Hilltop Family Clinic" in then.content.decode()
    assert "Not allowed" in ask(region.olga, study, who=about(region.ben)).content.decode()


def test_ben_learns_about_himself_and_nothing_of_others_or_of_what_is_on_file(
    region: Region, study: Study
) -> None:
    region.permit()
    region.deny(region.lakeside, actions=frozenset({"images"}))
    page = ask(region.ben, study, do="download", who=about(region.cleo)).content.decode()
    assert "Cleo" not in page
    page = ask(region.ben, study, do="download").content.decode()
    assert "Not allowed" in page
    assert "Only the custodian knows" in page
    assert "C-1002" not in page


@pytest.mark.parametrize("who", ["ben", "cleo"])
def test_who_cannot_see_the_study_gets_the_answer_for_absent(
    region: Region, study: Study, who: str
) -> None:
    client = sign_in(Client(), getattr(region, who).user)
    hidden = client.get(f"/studies/{study.public_id}/explain/")
    absent = client.get("/studies/nothing-of-the-kind/explain/")
    assert (hidden.status_code, absent.status_code) == (404, 404)


def test_somebody_who_did_not_act_there_is_said_to(region: Region, study: Study) -> None:
    wrong = f"hilltop:{region.cleo.user.public_id}"
    response = ask(region.olga, study, who=wrong)
    assert response.status_code == 422


def test_the_study_page_replays_the_precedence_to_ben(region: Region, study: Study) -> None:
    region.permit()
    page = sign_in(Client(), region.ben.user).get(f"/studies/{study.public_id}/").content.decode()
    assert "How this was decided" in page
    assert "Did the patient refuse all sharing? No." in page
    theirs = sign_in(Client(), region.mei.user).get(f"/studies/{study.public_id}/")
    assert f"/studies/{study.public_id}/explain/" in theirs.content.decode()


def get(client: Client, **said: str) -> Any:
    return client.get("/api/v1/explain/", said)


def test_the_api_tells_the_rung_the_consent_and_the_ways(region: Region, study: Study) -> None:
    client = sign_in(Client(), region.olga.user)
    ben = {"person": region.ben.user.public_id, "organization": "hilltop"}
    told = get(client, study=study.public_id, **ben).json()
    assert (told["allowed"], told["rule"]) == (False, "implicit_policy")
    assert told["ways"][0][0].startswith("A consent names Hilltop")
    region.permit()
    told = get(client, study=study.public_id, **ben).json()
    assert (told["allowed"], told["rule"], told["consent"]) == (
        True,
        "consent_permits",
        "C-1001 v1",
    )
    assert told["steps"][-1]["decided"]
    assert get(client, study=study.public_id, action="fly").status_code == 400


def test_the_api_says_nothing_to_whom_it_is_not_to_know(region: Region, study: Study) -> None:
    region.permit()
    ben = sign_in(Client(), region.ben.user)
    cleo = {"person": region.cleo.user.public_id, "organization": "lakeside"}
    about_cleo = get(ben, study=study.public_id, **cleo)
    absent = get(ben, study="nothing-of-the-kind", **cleo)
    assert about_cleo.status_code == absent.status_code == 404
    assert about_cleo.json() == absent.json()
    assert get(ben, study=study.public_id, action="download").json()["ways"] == []
    assert get(sign_in(Client(), region.cleo.user), study=study.public_id).status_code == 404
    assert get(Client(), study=study.public_id).status_code == 401
