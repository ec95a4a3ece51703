"""Links from the browser: making one, and coming in by one."""

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pydicom
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sharing.access.services import facts_on_file
from sharing.archive.errors import StudyNotFound
from sharing.archive.models import Instance, Series, Study
from sharing.archive.services.looking import stopped
from sharing.audit.models import Event
from sharing.exchange.models import ShareLink
from sharing.exchange.services import revoke_link
from sharing.kernel.purposes import Action
from tests.archive.sending import send
from tests.cast import Person, Region
from tests.exchange.giving import CODE, DAY, comes_in, given, lets_links
from tests.sessions import sign_in


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


@pytest.fixture
def study(region: Region) -> Study:
    """Pat lets Riverside give links away."""
    region.at = timezone.now()
    lets_links(region, region.at)
    return region.study(description="Chest with contrast")


def form(*studies: Study, **changes: Any) -> dict[str, Any]:
    filled = {"purpose": "TREAT", "may": "images", "until": "", "uses": "2", "note": "See left."}
    until = (timezone.now() + 7 * DAY).date().isoformat()
    return {"study": [each.public_id for each in studies]} | filled | {"until": until} | changes


def page(answer: Any) -> str:
    return str(answer.content.decode())


def test_ada_makes_a_link_and_somebody_without_an_account_opens_the_study(
    region: Region, study: Study
) -> None:
    ada, somebody = browser(region.ada), Client()
    assert "Inside the consent" in page(ada.get(f"/links/new/?study={study.public_id}"))
    made = ada.post("/links/new/", form(study))
    assert made.status_code == 200
    assert "no-store" in made["Cache-Control"]
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in page(made) or "<svg" in page(made)
    secret = re.search(r"/open/#([\w-]{43})", page(made))
    code = re.search(r'id="the-code" value="([A-Z2-9 ]{9})"', page(made))
    assert secret
    assert code
    asked = somebody.get("/open/")
    assert asked["Referrer-Policy"] == "no-referrer"
    assert "no-store" in asked["Cache-Control"]
    assert "Moreau" not in page(asked)
    came = comes_in(somebody, secret[1], code[1])
    assert came.status_code == 302
    there = somebody.get(came.url)
    shown = somebody.get(there.url)
    assert shown["Referrer-Policy"] == "no-referrer"
    for words in ("Chest with contrast", "MOREAU Pat", "See left.", "Open viewer"):
        assert words in page(shown)
    assert "Download" not in page(shown)
    assert 'aria-label="Main"' not in page(shown), "no navigation"
    viewer = somebody.get(reverse("viewer:study", args=[study.public_id]))
    assert viewer.status_code == 200
    assert reverse("web:opened-study", args=[study.public_id]) in page(viewer)
    assert somebody.get(reverse("viewer:pulse", args=[study.public_id])).status_code == 204
    assert Event.objects.filter(action="study.discover", actor_kind="link").exists()
    facts = facts_on_file([study.subject])
    without = replace(facts, consents=())
    assert stopped([study.subject], facts, without, at=timezone.now()) == 1, "counted as open"


def test_the_form_says_at_once_what_is_missing_and_no_link_is_made(
    region: Region, study: Study
) -> None:
    ada, other = browser(region.ada), region.study(modalities="|MR|", description="Knee left")
    region.revoke(study.patient.consents.get(), at=timezone.now())
    lets_links(region, timezone.now(), modalities=frozenset({"CT"}),
               actions=frozenset({*Action.IMAGES.ladder, Action.RESHARE}))  # fmt: skip
    said = page(ada.get(f"/links/new/?study={other.public_id}"))
    assert "Knee left, 12 Nov 2026: C-1002 v1 does not cover this study." in said
    assert "disabled" in said
    live = page(ada.post("/links/preview/", form(study, may="download")))
    assert "C-1002 v1 does not let anybody download" in live
    for asked in (form(other), form(study, may="download"), form(study, code="1111111")):
        assert ada.post("/links/new/", asked).status_code == 422
    assert not ShareLink.objects.exists()


def test_the_list_shows_what_became_of_a_link_and_ends_it(region: Region, study: Study) -> None:
    ada, somebody = browser(region.ada), Client()
    made = given(region, study, at=timezone.now())
    comes_in(somebody, made.secret, "wrong code")
    comes_in(somebody, made.secret)
    shown = page(ada.get("/links/"))
    for words in ("Open", "1 of 3", "1 wrong code", "MOREAU Pat", "Ada Brandt"):
        assert words in shown
    assert made.secret not in shown
    where = reverse("web:opened-study", args=[study.public_id])
    assert somebody.get(where).status_code == 200
    assert ada.post(f"/links/{made.link.public_id}/revoke/").status_code == 302
    assert "Revoked" in page(ada.get("/links/"))
    assert somebody.get(where).status_code == 404
    for stranger in (region.ben, region.cleo):
        revoked = browser(stranger).post(f"/links/{made.link.public_id}/revoke/")
        assert revoked.status_code == 404


def test_what_was_behind_an_ended_link_is_nowhere_and_it_says_why(
    region: Region, study: Study
) -> None:
    somebody = Client()
    made = given(region, study, at=timezone.now())
    comes_in(somebody, made.secret)
    doors = [
        reverse("web:opened"),
        reverse("web:opened-study", args=[study.public_id]),
        reverse("web:opened-download", args=[study.public_id]),
        reverse("viewer:study", args=[study.public_id]),
        reverse("viewer:pulse", args=[study.public_id]),
    ]
    revoke_link(public_id=made.link.public_id, by=region.ada.actor, at=timezone.now())
    for door in doors:
        answer = somebody.get(door)
        assert answer.status_code == 404, door
        assert "This link has ended" in page(answer)
        assert "Chest" not in page(answer)
    wado = somebody.get(f"/dicomweb/studies/{study.study_uid}/metadata")
    assert wado.status_code == 404


def test_a_withdrawn_consent_ends_what_the_link_shows(region: Region, study: Study) -> None:
    somebody = Client()
    comes_in(somebody, given(region, study, at=timezone.now()).secret)
    where = reverse("web:opened-study", args=[study.public_id])
    assert somebody.get(where).status_code == 200
    region.revoke(study.patient.consents.get(), at=timezone.now())
    for door in (where, reverse("web:opened")):
        answer = somebody.get(door)
        assert answer.status_code == 404
        assert "This link has ended" in page(answer)


def test_who_comes_by_a_link_is_a_stranger_at_all_other_doors(region: Region, study: Study) -> None:
    """Nothing of Riverside's: neither its lists nor its patients, and no study but the given."""
    somebody, other = Client(), region.study()
    comes_in(somebody, given(region, study, at=timezone.now()).secret)
    for name in ("web:home", "web:studies", "web:patients", "web:shares", "web:links", "web:log"):
        assert somebody.get(reverse(name)).status_code == 302, name
    assert somebody.get("/api/v1/studies/").status_code in {401, 404}
    for door in (
        reverse("web:opened-study", args=[other.public_id]),
        reverse("viewer:study", args=[other.public_id]),
        f"/dicomweb/studies/{other.study_uid}/metadata",
    ):
        assert somebody.get(door).status_code == 404
    assert somebody.get(reverse("web:study", args=[study.public_id])).status_code == 302
    found = somebody.get("/dicomweb/studies").json()
    assert [each["0020000D"]["Value"] for each in found] == [[study.study_uid]]


def test_a_link_to_two_studies_lists_both_with_their_pictures_and_no_third(
    region: Region, study: Study
) -> None:
    other, third = region.study(description="Knee"), region.study(description="Hidden")
    Series.objects.update(thumbnail=b"\xff\xd8\xff picture")
    somebody = Client()
    comes_in(somebody, given(region, study, other, at=timezone.now()).secret)
    listed = page(somebody.get(reverse("web:opened")))
    assert "Knee" in listed
    assert "Hidden" not in listed
    pictures = [reverse("web:study-thumbnail", args=[s.public_id]) for s in (study, other, third)]
    assert [each in listed for each in pictures] == [True, True, False]
    assert [somebody.get(each).status_code for each in pictures] == [200, 200, 404]


def test_nobody_is_two_at_once(region: Region, study: Study) -> None:
    """Coming in signs Ben out here; signing in leaves the link behind."""
    made = given(region, study, at=timezone.now())
    client = browser(region.ben)
    assert "You are signed in as Ben Hartley" in page(client.get("/open/"))
    before = client.session.session_key
    comes_in(client, made.secret)
    assert client.session.session_key != before
    assert client.get("/").status_code == 302
    where = reverse("web:opened-study", args=[study.public_id])
    assert client.get(where).status_code == 200
    sign_in(client, region.ben.user)
    assert client.get("/").status_code == 200
    assert client.get(where).status_code == 404
    client.post("/accounts/logout/")
    assert client.get(where).status_code == 404


def test_leaving_closes_the_link_in_this_browser(region: Region, study: Study) -> None:
    somebody = Client()
    comes_in(somebody, given(region, study, at=timezone.now()).secret)
    assert somebody.post("/open/leave/").status_code == 302
    assert somebody.get("/open/studies/").status_code == 404
    assert somebody.post("/open/leave/").status_code == 404


def test_a_form_without_its_token_opens_nothing_and_no_referrer_is_needed(
    region: Region, study: Study
) -> None:
    """`no-referrer` makes a browser send `Origin: null` with its own form."""
    made = given(region, study, at=timezone.now())
    somebody = Client(enforce_csrf_checks=True)
    assert comes_in(somebody, made.secret).status_code == 403
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page(somebody.get("/open/")))
    assert token
    sent = {"link": made.secret, "code": CODE, "csrfmiddlewaretoken": token[1]}
    assert somebody.post("/open/", sent, headers={"origin": "null"}).status_code == 302


def test_the_download_is_there_only_by_a_link_and_a_consent_that_give_it(
    region: Region, real_data: Path
) -> None:
    send(region, real_data / "single/pydicom_CT_small.dcm")
    held = Instance.objects.select_related("series__study__patient").get()
    study = Study.objects.with_owners().get(pk=held.series.study_id)
    consent = lets_links(region, timezone.now(), patient=study.patient)
    looks, takes = Client(), Client()
    comes_in(looks, given(region, study, at=timezone.now()).secret)
    made = given(region, study, at=timezone.now(), actions=Action.DOWNLOAD.ladder)
    comes_in(takes, made.secret)
    where = reverse("web:opened-download", args=[study.public_id])
    whole = f"/dicomweb/studies/{study.study_uid}"
    assert looks.get(where).status_code == looks.get(whole).status_code == 404
    page_of = reverse("web:opened-study", args=[study.public_id])
    assert where in page(takes.get(page_of))
    assert where not in page(looks.get(page_of))
    answer = takes.get(where)
    assert answer["Content-Disposition"] == 'attachment; filename="study.zip"'
    with ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as packed:
        assert packed.testzip() is None
        assert packed.namelist() == ["images/00001.dcm"]
        taken = pydicom.dcmread(io.BytesIO(packed.read("images/00001.dcm")))
    assert taken.SOPInstanceUID == held.sop_uid
    assert Event.objects.filter(action="study.download", actor_kind="link").exists()
    region.revoke(consent, at=timezone.now())
    assert takes.get(where).status_code == 404


def test_mei_records_that_links_may_be_given_and_the_study_s_page_names_the_link(
    region: Region,
) -> None:
    study = region.study(description="Chest with contrast")
    where = reverse("web:study", args=[study.public_id])
    ada, mei = browser(region.ada), browser(region.mei)
    assert "No consent is on file" in page(ada.get(f"/links/new/?study={study.public_id}"))
    said = {
        "decision": "permit", "organizations": [], "links": "on", "may": "reshare",
        "purpose": "PATRQT", "period": "90", "verification": "verbal", "witness": "Olga Weiss",
        "performer": "self",
    }  # fmt: skip
    recorded = mei.post(reverse("web:new-consent", args=[study.patient.public_id]), said)
    assert recorded.status_code == 302
    assert "hoever has a link" in page(mei.get(recorded.url))
    assert ada.post("/links/new/", form(study)).status_code == 422
    assert ada.post("/links/new/", form(study, purpose="PATRQT")).status_code == 200
    assert "Whoever has a link" in page(ada.get(where))
    assert "used 0 of 2" in page(ada.get(where))
    assert "used 0 of 2" not in page(mei.get(where))


def test_no_image_of_a_download_begins_after_the_consent_was_revoked(
    region: Region, real_data: Path
) -> None:
    """Each image is sent before a second is over: the download asks anew for each of them."""
    for name in ("pydicom_CT_small.dcm", "pydicom_MR_small_implicit.dcm"):
        send(region, real_data / f"single/{name}")
    first, second = Instance.objects.select_related("series__study__patient").order_by("pk")
    Series.objects.filter(pk=second.series_id).update(study=first.series.study)
    study = Study.objects.with_owners().get(pk=first.series.study_id)
    consent = lets_links(region, timezone.now(), patient=study.patient)
    somebody = Client()
    made = given(region, study, at=timezone.now(), actions=Action.DOWNLOAD.ladder)
    comes_in(somebody, made.secret)
    answer = somebody.get(reverse("web:opened-download", args=[study.public_id]))
    pieces = iter(answer.streaming_content)
    sent = [next(pieces)]
    region.revoke(consent, at=timezone.now())
    with pytest.raises(StudyNotFound):
        sent.extend(pieces)
    assert b"images/00001.dcm" in sent[0]
    assert b"".join(sent).count(b"DICM") == 1
