"""The portal's own REST: the same fence, the same log, one answer for hidden and absent."""

from typing import Any

from django.test import Client

from sharing.audit.models import Event
from tests.cast import Region
from tests.faces.dicomweb.conftest import token_client
from tests.sessions import headers_of, sign_in


def get(client: Client, url: str) -> Any:
    return client.get(url)


def test_me_is_the_actor(region: Region) -> None:
    me = get(sign_in(Client(), region.ada.user), "/api/v1/me/").json()
    assert (me["kind"], me["organization"], me["purpose"]) == ("user", "riverside", "TREAT")
    assert me["roles"] == ["radiologist"]
    machine = get(token_client(region.riverside, "studies.read"), "/api/v1/me/").json()
    assert (machine["kind"], machine["scopes"]) == ("client", ["studies.read"])
    assert get(Client(), "/api/v1/me/").status_code == 401


def test_pages_by_cursor_meet_every_study_once(region: Region) -> None:
    studies = {region.study().public_id for _ in range(5)}
    client = sign_in(Client(), region.ada.user)
    seen: list[str] = []
    url = "/api/v1/studies/?limit=2"
    while url:
        page = get(client, url).json()
        seen += [row["id"] for row in page["results"]]
        url = page["next"]
    assert len(seen) == 5
    assert set(seen) == studies


def test_a_study_says_its_ground_and_where_its_images_are(region: Region) -> None:
    study = region.study()
    region.permit()
    ben = sign_in(Client(), region.ben.user)
    body = get(ben, f"/api/v1/studies/{study.public_id}/").json()
    assert body["ground"]["rule"] == "consent_permits"
    assert body["ground"]["reason"].startswith("Patient permitted Hilltop")
    root = "http://testserver/dicomweb/o/riverside"
    assert body["links"]["dicomweb"] == f"{root}/studies/{study.study_uid}"
    assert [series["number"] for series in body["series"]] == [1]
    assert Event.objects.filter(study=study.public_id, action="study.discover").exists()


def test_filters_narrow_and_never_widen(region: Region) -> None:
    ct = region.study()
    region.study(modalities="|MR|")
    client = sign_in(Client(), region.ada.user)
    found = get(client, "/api/v1/studies/?modality=CT&q=moreau&own=true").json()["results"]
    assert [row["id"] for row in found] == [ct.public_id]
    cleo = sign_in(Client(), region.cleo.user)
    assert get(cleo, "/api/v1/studies/?custodian=riverside").json()["results"] == []


def test_cleo_meets_one_answer_for_hidden_and_absent(region: Region) -> None:
    study = region.study()
    cleo = sign_in(Client(), region.cleo.user)
    hidden = get(cleo, f"/api/v1/studies/{study.public_id}/")
    absent = get(cleo, "/api/v1/studies/nothing-of-that-name/")
    assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content)
    assert hidden.status_code == 404
    assert headers_of(hidden) == headers_of(absent)
    assert hidden["Content-Type"] == "application/problem+json"
    assert get(cleo, "/api/v1/studies/").json()["results"] == []


def test_a_token_needs_the_scope(region: Region) -> None:
    region.study()
    assert get(token_client(region.riverside), "/api/v1/studies/").status_code == 403
    reader = token_client(region.riverside, "studies.read")
    assert len(get(reader, "/api/v1/studies/").json()["results"]) == 1


def test_a_query_of_the_wrong_form_is_not_repeated(region: Region) -> None:
    client = sign_in(Client(), region.ada.user)
    answer = get(client, "/api/v1/studies/?shared=SECRET")
    assert answer.status_code == 400
    assert b"SECRET" not in answer.content


def test_the_document_describes_every_path(region: Region) -> None:
    document = get(sign_in(Client(), region.ada.user), "/api/v1/schema/").json()
    assert set(document["paths"]) >= {
        "/api/v1/me/",
        "/api/v1/studies/",
        "/api/v1/studies/{study_id}/",
    }
    assert "bearer" in document["components"]["securitySchemes"]
