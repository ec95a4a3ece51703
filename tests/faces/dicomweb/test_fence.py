"""The fence at the DICOMweb door: a stranger meets one answer, and each refusal is in the log."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.urls.resolvers import URLResolver
from django.utils import timezone

from sharing.archive.models import Instance
from sharing.audit.models import Event
from sharing.dicomweb import urls
from sharing.kernel.purposes import Action
from tests.archive.sending import send
from tests.cast import Region, make_patient, make_study
from tests.faces.dicomweb.conftest import token_client
from tests.sessions import headers_of, sign_in

RETRIEVALS = [route for route, _, _ in urls._SAFE if "studies/" in route] + [urls._STUDY]
READS = [route for route in RETRIEVALS if not route.endswith(("/series", "/instances"))]


@pytest.fixture
def instance(region: Region, real_data: Path) -> Instance:
    send(region, real_data / "single/pydicom_CT_small.dcm")
    return Instance.objects.select_related("series__study").get()


def address(route: str, held: Instance, mount: str = "", **other: str) -> str:
    """The route's address for this instance, or with parts of another."""
    values = {
        "str:study": held.series.study.study_uid,
        "str:series": held.series.series_uid,
        "str:instance": held.sop_uid,
        "str:frames": "1",
        "path:bulk": "7FE00010",
    } | {f"str:{name}": value for name, value in other.items()}
    for name, value in values.items():
        route = route.replace(f"<{name}>", value)
    return f"/dicomweb/{mount}{route}"


def whole(response: Any) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers, but for the request's own id."""
    body = b"".join(response) if response.streaming else response.content
    headers = headers_of(response)
    return response.status_code, body, headers


@pytest.mark.parametrize("mount", ["", "o/riverside/"])
@pytest.mark.parametrize("route", READS)
def test_cleo_meets_the_same_answer_as_for_what_does_not_exist(
    region: Region, instance: Instance, route: str, mount: str
) -> None:
    cleo = sign_in(Client(), region.cleo.user)
    hidden = cleo.get(address(route, instance, mount))
    absent = cleo.get(address(route, instance, mount, study="2.25.404"))
    assert whole(hidden) == whole(absent)
    assert hidden.status_code == 404
    ada = sign_in(Client(), region.ada.user)
    assert ada.get(address(route, instance, mount)).status_code == 200


@pytest.mark.parametrize("route", READS)
def test_a_stranger_is_asked_to_sign_in(instance: Instance, route: str) -> None:
    response = Client().get(address(route, instance))
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="portal"'


@pytest.mark.parametrize("route", READS)
def test_a_token_needs_the_scope_to_read(region: Region, instance: Instance, route: str) -> None:
    writer = token_client(region.riverside, "dicomweb.write")
    assert writer.get(address(route, instance)).status_code == 403


def test_every_level_of_a_path_must_belong_to_the_one_above(
    region: Region, instance: Instance, real_data: Path
) -> None:
    """Own study, foreign series or instance: nothing (A03)."""
    send(region, real_data / "single/pydicom_MR_small_implicit.dcm", organization=region.lakeside)
    send(region, real_data / "single/pydicom_chrX1.dcm")
    others = Instance.objects.exclude(pk=instance.pk).select_related("series__study")
    ada = sign_in(Client(), region.ada.user)
    for other in others:
        own_uids = {"series": other.series.series_uid, "instance": other.sop_uid}
        for route in READS:
            for level in own_uids:
                if f"<str:{level}>" in route:
                    url = address(route, instance, **{level: own_uids[level]})
                    assert ada.get(url).status_code == 404, url


def test_ben_loses_the_images_when_pat_revokes(region: Region, real_data: Path) -> None:
    send(region, real_data / "single/pydicom_CT_small.dcm")
    instance = Instance.objects.select_related("series__study__patient").get()
    patient = instance.series.study.patient
    at = timezone.now()
    consent = region.permit(patient=patient, at=at, actions=frozenset(Action.DOWNLOAD.ladder))
    ben = sign_in(Client(), region.ben.user)
    urls_of = [address(route, instance) for route in READS]
    answers = [ben.get(url) for url in urls_of]
    assert {answer.status_code for answer in answers} == {200}
    tags = [answer["ETag"] for answer in answers]
    region.revoke(consent, at=timezone.now())
    for url, tag in zip(urls_of, tags, strict=True):
        assert ben.get(url, headers={"If-None-Match": tag}).status_code == 404, url
    assert ben.get("/dicomweb/studies").json() == []


def test_a_read_and_a_refusal_are_in_the_log_with_their_ground(
    region: Region, instance: Instance
) -> None:
    url = address(f"{urls._INSTANCE}/frames/<str:frames>", instance)
    sign_in(Client(), region.ada.user).get(url)
    sign_in(Client(), region.cleo.user).get(url)
    study = instance.series.study
    events = {e.organization: e for e in Event.objects.filter(study_uid=study.study_uid)}
    seen, refused = events["riverside"], events["lakeside"]
    assert (seen.action, seen.permitted, seen.rule) == ("study.images", True, "own_staff")
    assert (refused.action, refused.permitted) == ("study.images.refused", False)
    assert refused.actor_id == region.cleo.actor.id


def test_a_study_that_may_be_known_but_not_seen_gives_no_images(
    region: Region, instance: Instance
) -> None:
    patient = instance.series.study.patient
    known = frozenset({Action.DISCOVER})
    region.permit(patient=patient, at=timezone.now(), actions=known)
    ben = sign_in(Client(), region.ben.user)
    assert len(ben.get("/dicomweb/studies").json()) == 1
    for route in READS:
        assert ben.get(address(route, instance)).status_code == 404


@pytest.mark.parametrize(
    ("below", "field", "tag"),
    [
        ("studies?StudyInstanceUID={}", "PatientAge", "00101010"),
        ("studies/{}/series?limit=9", "Manufacturer", "00080070"),
        ("studies/{}/instances?limit=9", "Manufacturer", "00080070"),
    ],
)
def test_a_search_tells_what_only_images_say_to_who_may_see_them(
    region: Region, instance: Instance, below: str, field: str, tag: str
) -> None:
    study, at = instance.series.study, timezone.now()
    asked = f"/dicomweb/{below.format(study.study_uid)}"
    ada, ben = sign_in(Client(), region.ada.user), sign_in(Client(), region.ben.user)
    olga = sign_in(Client(), region.olga.user)
    region.permit(patient=study.patient, at=at, actions=frozenset({Action.DISCOVER}))
    (whole,) = ada.get(f"{asked}&includefield={field}").json()
    value = whole[tag]["Value"][0]
    for reader in (ben, olga):
        usual = reader.get(asked).json()
        assert len(usual) == 1
        assert reader.get(f"{asked}&includefield={field}&includefield=all").json() == usual
        if "limit" in asked:
            assert reader.get(asked, {field: value}).json() == []
    region.permit(patient=study.patient, at=at, actions=frozenset(Action.IMAGES.ladder))
    (told,) = ben.get(f"{asked}&includefield={field}").json()
    assert told[tag]["Value"] == [value]


def test_the_custodian_s_mount_holds_that_custodian_only(region: Region) -> None:
    study = region.study()
    make_study(make_patient(region.lakeside, "LK-1"), study_uid=study.study_uid)
    ada = sign_in(Client(), region.ada.user)
    assert len(ada.get("/dicomweb/o/riverside/studies").json()) == 1
    assert ada.get("/dicomweb/o/lakeside/studies").json() == []
    assert ada.get("/dicomweb/o/nowhere/studies").json() == []
    assert ada.get(f"/dicomweb/o/lakeside/studies/{study.study_uid}/thumbnail").status_code == 404


def test_what_is_no_uid_names_nothing(region: Region) -> None:
    ada = sign_in(Client(), region.ada.user)
    for name in ("..%2F..", "x", "1.2.3'--", "9" * 80):
        assert ada.get(f"/dicomweb/studies/{name}/metadata").status_code == 404


def test_every_route_of_this_face_is_met_above() -> None:
    def names(patterns: list[Any]) -> set[str]:
        found: set[str] = set()
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                found |= names(pattern.url_patterns)
            elif isinstance(pattern, URLPattern):
                found.add(str(pattern.name))
        return found

    mounted = next(
        p for p in get_resolver().url_patterns if getattr(p, "app_name", "") == "dicomweb"
    )
    known = {name for _, _, name in urls._SAFE} | {"study", "studies", "service"}
    assert names([mounted]) == known
