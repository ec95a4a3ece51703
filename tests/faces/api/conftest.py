"""Sending files as the upload page does."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.cast import Region
from tests.sessions import sign_in

TUS = {"Tus-Resumable": "1.0.0"}


@dataclass
class Sender:
    """Somebody's browser with the upload page open."""

    client: Client

    def batch(self) -> dict[str, Any]:
        """A new batch's facts."""
        response = self.client.post("/api/v1/upload-batches/")
        assert response.status_code == 201, response.content
        return response.json()

    def announce(self, batch: str, name: str, length: int) -> Any:
        """POST of the creation extension."""
        told = {"filename": name, "batch": batch}
        pairs = [f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in told.items()]
        headers = {**TUS, "Upload-Length": str(length), "Upload-Metadata": ",".join(pairs)}
        return self.client.post("/api/v1/uploads/", headers=headers)

    def piece(self, url: str, offset: int, data: bytes, **headers: str) -> Any:
        """PATCH."""
        return self.client.patch(
            url,
            data,
            content_type="application/offset+octet-stream",
            headers={**TUS, "Upload-Offset": str(offset), **headers},
        )

    def send(self, batch: str, name: str, data: bytes) -> str:
        """A whole file; returns the upload's address."""
        url = self.announce(batch, name, len(data))["Location"]
        if data:
            assert self.piece(url, 0, data).status_code == 204
        return url

    def send_all(self, *paths: Path) -> str:
        """A batch of files, closed; returns its id."""
        batch = self.batch()
        for path in paths:
            self.send(batch["id"], path.name, path.read_bytes())
        assert self.client.post(f"{batch['url']}close/").status_code == 202
        return str(batch["id"])

    def receipt(self, batch: str) -> Any:
        """The receipt as JSON."""
        return self.client.get(f"/api/v1/upload-batches/{batch}/").json()


@pytest.fixture(autouse=True)
def own_scratch(settings: Any, tmp_path: Path) -> None:
    """What other tests left on the way is none of this test's business."""
    settings.SCRATCH_DIR = tmp_path / "scratch"


@pytest.fixture
def mei(region: Region) -> Sender:
    """Riverside's clerk at her browser."""
    return Sender(sign_in(Client(), region.mei.user))
