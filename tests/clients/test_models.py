"""What the client reads is what the portal's own OpenAPI document says it tells."""

from dataclasses import fields

import pytest
from django.test import Client
from imaging_sharing import models

NAMES = {
    models.Me: "Me", models.Organization: "Organization", models.Patient: "Patient",
    models.Series: "Series", models.Study: "StudyDetail", models.Share: "Share",
}  # fmt: skip


@pytest.mark.django_db
def test_every_field_of_a_value_is_one_that_the_document_names() -> None:
    document = Client().get("/api/v1/schema/").json()["components"]["schemas"]
    for kind, name in NAMES.items():
        known = set(document.get(name, document.get(f"{name}Form"))["properties"])
        assert {each.name for each in fields(kind)} <= known, name
