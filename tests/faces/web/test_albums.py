"""Albums from the browser: made with what was chosen, filled, opened to members, closed."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sharing.archive.models import Study
from sharing.exchange.models import Album, AlbumMember
from sharing.kernel.purposes import Action
from tests.cast import Person, Region, make_patient
from tests.sessions import sign_in

ALL = frozenset({*Action.DOWNLOAD.ladder, Action.RESHARE})


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


def page(answer: Any) -> str:
    return str(answer.content.decode())


def bare(answer: Any) -> str:
    """Without the token that each page has anew."""
    return re.sub(r'(csrf[^>]*(?:value|content))="[^"]+"', "", page(answer))


@pytest.fixture
def study(region: Region) -> Study:
    """Pat lets Riverside name who may see."""
    region.at = timezone.now() - timedelta(hours=1)
    region.permit(organizations=(), named_by_custodian=True, actions=ALL)
    return region.study(description="Chest with contrast")


def made(ada: Client, *studies: Study, **changes: Any) -> str:
    """The address of an album that Ada made with these studies."""
    until = (timezone.now() + timedelta(days=7)).date().isoformat()
    filled = {"name": "Chest board", "may": "images", "until": until}
    answer = ada.post(
        "/albums/new/", {"study": [each.public_id for each in studies]} | filled | changes
    )
    assert answer.status_code == 302, page(answer)
    return str(answer["Location"])


def test_ada_makes_an_album_of_what_she_chose_lets_ben_in_and_ben_finds_it(
    region: Region, study: Study
) -> None:
    ada, ben = browser(region.ada), browser(region.ben)
    assert "/albums/add/" in page(ada.get("/studies/"))
    assert "No album yet" in page(ada.get(f"/albums/add/?study={study.public_id}"))
    assert "Chest with contrast" in page(ada.get(f"/albums/new/?study={study.public_id}"))
    album = made(ada, study)
    assert "Nobody yet" in page(ada.get(album))
    assert "1 study covered" in page(ada.get(f"{album}members/")).replace("All ", "")
    person = {"to": "hilltop", "person": region.ben.user.public_id}
    assert ada.post(f"{album}members/", person)["Location"] == album
    assert "Sees all 1" in page(ada.get(album))
    assert "Chest board" in page(ben.get("/albums/"))
    read = page(ben.get(album))
    assert "Chest with contrast" in read
    assert not any(word in read for word in ("Take out", "Remove", "Close album", "Let in"))
    of_study = page(ben.get(f"/studies/{study.public_id}/"))
    assert f'href="{album}"' in of_study
    assert "in the album “Chest board”" in of_study
    assert "in the album Chest board" in page(ada.get("/shares/"))


def test_the_form_says_for_whom_a_study_is_covered_and_what_is_missing(
    region: Region, study: Study
) -> None:
    ada, album = browser(region.ada), made(browser(region.ada))
    ada.post(f"{album}members/", {"to": "hilltop"})
    ada.post(f"{album}members/", {"to": "lakeside"})
    anna = make_patient(region.riverside, "RV-2", name="Berg^Anna")
    hers = region.study(anna)
    region.deny(region.lakeside)
    told = page(ada.get(f"/albums/add/?study={study.public_id}"))
    assert "Covered for 1 of 2" in told
    assert "To Lakeside Imaging Centre: " in told
    refused = f"/albums/add/?study={hers.public_id}"
    assert "Not covered for anybody in it" in page(ada.get(refused))
    into = {"album": Album.objects.get().public_id}
    answer = ada.post("/albums/add/", {"study": hers.public_id} | into)
    assert answer.status_code == 422
    assert "No consent is on file. Nobody gained access." in page(answer)
    assert ada.post("/albums/add/", {"study": study.public_id} | into)["Location"] == album
    assert "Not covered, and not shown to them" in page(ada.get(album))
    lakeside = page(ada.get(f"{album}members/"))
    assert "They see what they may see anyway" in lakeside
    assert "already" in page(ada.post("/albums/add/", {"study": study.public_id} | into))


def test_taking_out_removing_and_closing_end_it_at_once(region: Region, study: Study) -> None:
    ada, ben, other = browser(region.ada), browser(region.ben), region.study()
    album = made(ada, study, other)
    ada.post(f"{album}members/", {"to": "hilltop"})
    assert ben.get(f"/studies/{study.public_id}/").status_code == 200
    ada.post(f"{album}studies/{study.public_id}/out/")
    assert ben.get(f"/studies/{study.public_id}/").status_code == 404
    assert "1 study that you may see" in page(ben.get(album))
    member = AlbumMember.objects.get().public_id
    ada.post(f"{album}members/{member}/remove/")
    assert ben.get(album).status_code == 404
    ada.post(f"{album}members/", {"to": "hilltop"})
    assert ben.get(album).status_code == 200
    assert "loses at once" in page(ada.get(f"{album}close/"))
    assert ada.post(f"{album}close/")["Location"] == "/albums/"
    assert [c.get(album).status_code for c in (ada, ben)] == [404, 404]
    assert ben.get(f"/studies/{other.public_id}/").status_code == 404


def test_an_album_is_not_there_for_who_is_not_in_it_and_not_for_them_to_change(
    region: Region, study: Study
) -> None:
    ada, cleo, ben = (browser(person) for person in (region.ada, region.cleo, region.ben))
    album = made(ada, study)
    ada.post(f"{album}members/", {"to": "hilltop"})
    member = AlbumMember.objects.get().public_id
    unknown = "/albums/AAAAAAAAAAAAAAAAAAAAAA/"
    for path in ("", "members/", "close/"):
        known = cleo.get(f"{album}{path}")
        assert known.status_code == 404
        absent = bare(cleo.get(f"{unknown}{path}"))
        assert bare(known).replace(album, unknown) == absent  # the path that was typed
    for path in ("close/", "members/", "again/", f"members/{member}/remove/",
                 f"studies/{study.public_id}/out/"):  # fmt: skip
        assert ben.post(f"{album}{path}").status_code == 404
    assert "Chest board" not in page(cleo.get("/albums/"))
    assert ben.get(album).status_code == 200


def test_what_is_wrong_with_a_form_stands_beside_it(region: Region, study: Study) -> None:
    ada = browser(region.ada)
    answer = ada.post("/albums/new/", {"name": "", "until": "1 Jan 2020"})
    assert answer.status_code == 422
    assert "Fill this in." in page(answer)
    assert "The album must end in the future." in page(answer)
    album = made(ada, study)
    answer = ada.post(f"{album}members/", {"to": "lakeside", "person": region.ben.user.public_id})
    assert answer.status_code == 422
    assert "not at the organization that you chose" in page(answer)
    assert browser(region.mei).get("/albums/new/").status_code == 404
    assert ada.get("/albums/add/")["Location"] == "/studies/"


def test_what_a_consent_came_to_cover_is_offered_and_opened(region: Region, study: Study) -> None:
    ada = browser(region.ada)
    denied = region.deny()
    album = made(ada, study)
    ada.post(f"{album}members/", {"to": "lakeside"})
    anna = make_patient(region.riverside, "RV-2", name="Berg^Anna")
    region.permit(patient=anna, organizations=(), named_by_custodian=True, actions=ALL)
    ada.post("/albums/add/", {"study": region.study(anna).public_id, "album": album.split("/")[2]})
    ada.post(f"{album}members/", {"to": "hilltop"})
    assert "More is covered now" not in page(ada.get(album))
    region.revoke(denied)
    assert "More is covered now" in page(ada.get(album))
    assert "open to them" in page(ada.post(f"{album}again/", follow=True))
    assert browser(region.ben).get(f"/studies/{study.public_id}/").status_code == 200


def test_a_keeper_lets_an_album_go_on_and_is_told_what_can_t_be(
    region: Region, study: Study
) -> None:
    ada, ben = browser(region.ada), browser(region.ben)
    album = made(ada, study)
    ada.post(f"{album}members/", {"to": "hilltop"})
    later = (timezone.now() + timedelta(days=40)).date().isoformat()
    assert "The album goes on until" in page(
        ada.post(f"{album}until/", {"until": later}, follow=True)
    )
    for wrong in ("1 Jan 2020", "some day"):
        assert "Not changed." in page(ada.post(f"{album}until/", {"until": wrong}, follow=True))
    assert "Prolong" not in page(ben.get(album))
    assert ben.post(f"{album}until/", {"until": later}).status_code == 404
