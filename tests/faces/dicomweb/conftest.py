"""A partner's machine and people at the DICOMweb door."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from sharing.archive.models import Study
from sharing.partners.services import issue_token
from sharing.tenants.models import Organization
from tests.archive.sending import dicom_files, send
from tests.cast import Region

Stow = Callable[..., HttpResponse]
BOUNDARY = "a-boundary"


def token_client(organization: Organization, *scopes: str) -> Client:
    """A client of that organization with these scopes."""
    wanted = scopes or ("dicomweb.read", "dicomweb.write")
    secret = issue_token(organization=organization, name="PACS", scopes=wanted, at=timezone.now())
    return Client(headers={"Authorization": f"Bearer {secret}"})


def multipart(*bodies: bytes, boundary: str = BOUNDARY) -> bytes:
    """A multipart/related body of DICOM files."""
    head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    parts = [head + body + b"\r\n" for body in bodies]
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def content_type(boundary: str = f'"{BOUNDARY}"') -> str:
    """The content type of a store request."""
    return f'multipart/related; type="application/dicom"; boundary={boundary}'


@pytest.fixture
def pacs(region: Region) -> Client:
    """Riverside's PACS, which may read and write."""
    return token_client(region.riverside)


@pytest.fixture
def stow(pacs: Client) -> Stow:
    """Send files by STOW-RS; answers the response."""

    def post(*paths: Path, url: str = "/dicomweb/studies", client: Client = pacs) -> HttpResponse:
        body = multipart(*(path.read_bytes() for path in paths))
        return client.post(url, body, content_type=content_type())  # type: ignore[return-value]

    return post


def stored_study(region: Region, folder: Path) -> Study:
    """A study of the real data, held by Riverside."""
    send(region, *dicom_files(folder))
    return Study.objects.latest("pk")
