"""No cache between us and a person shows an image that we were not asked for (A09)."""

from pathlib import Path

import pytest
from django.test import Client

from sharing.archive.models import Instance
from tests.archive.sending import send
from tests.cast import Region
from tests.faces.dicomweb.conftest import token_client
from tests.faces.dicomweb.test_fence import READS, address
from tests.sessions import sign_in


@pytest.fixture
def instance(region: Region, real_data: Path) -> Instance:
    """One image of Riverside's."""
    send(region, real_data / "single/pydicom_CT_small.dcm")
    return Instance.objects.select_related("series__study").get()


@pytest.mark.parametrize("route", READS)
def test_no_cache_shows_an_image_without_asking(
    region: Region, instance: Instance, route: str
) -> None:
    """Not a shared one, nor the own browser's, for another person, form, or after a sign-out."""
    for client in (sign_in(Client(), region.ada.user), token_client(region.riverside)):
        answer = client.get(address(route, instance))
        assert answer.status_code == 200
        directives = {word.strip() for word in answer["Cache-Control"].split(",")}
        assert {"private", "must-revalidate", "max-age=0"} <= directives
        assert {"Authorization", "Cookie", "Accept"} <= set(answer["Vary"].split(", "))


def test_a_refusal_is_kept_by_nobody(region: Region, instance: Instance) -> None:
    """What is hidden now may be shown in a minute, and the other way round."""
    cleo = sign_in(Client(), region.cleo.user)
    for route in READS:
        assert cleo.get(address(route, instance))["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/studies/{}/", "/studies/", "/patients/", "/", "/viewer/{}/", "/log/"]
)
def test_no_page_with_a_patient_s_name_is_kept(region: Region, path: str) -> None:
    """A shared machine's Back button shows none after sign-out."""
    study = region.study()
    for person in (region.ada, region.olga):
        answer = sign_in(Client(), person.user).get(path.format(study.public_id))
        assert "no-store" in answer["Cache-Control"], (person.user.name, answer.status_code)
