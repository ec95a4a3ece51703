"""An instance's part of a search answer, as it is kept."""

import json
from typing import Any

from sharing.archive.summaries import MOUNT, summary

CT: dict[str, Any] = {
    "study_uid": "1.2.3", "series_uid": "1.2.3.1", "sop_uid": "1.2.3.1.7",
    "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2", "transfer_syntax": "1.2.840.10008.1.2.1",
    "number": 7, "rows": 512, "columns": 256, "frames": 1, "bits_allocated": 16,
}  # fmt: skip


def test_an_image_is_summed_up_in_the_order_of_its_tags() -> None:
    text = summary(**CT, timezone="+0100")
    made = json.loads(text)
    assert list(made) == sorted(made)
    assert made["00081190"]["Value"] == ["@/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.7"]
    assert text.count(MOUNT) == 1
    assert made["00200013"] == {"vr": "IS", "Value": [7]}
    assert [made[tag]["Value"] for tag in ("00280010", "00280011", "00280100")] == [
        [512], [256], [16],
    ]  # fmt: skip
    assert made["00080201"]["Value"] == ["+0100"]
    assert "00280008" not in made


def test_what_an_object_has_not_is_not_said_of_it() -> None:
    report = CT | {"number": None, "rows": None, "columns": 0, "frames": 0, "bits_allocated": 0}
    made = json.loads(summary(**report))
    assert made["00200013"] == {"vr": "IS"}
    assert not {"00280008", "00280010", "00280011", "00280100", "00080201"} & set(made)
    assert json.loads(summary(**CT | {"frames": 30}))["00280008"]["Value"] == [30]


def test_nothing_but_the_retrieve_url_begins_as_one() -> None:
    text = summary(**CT, timezone="@/0100")
    assert text.count(MOUNT) == 1
    made = json.loads(text)
    assert made["00080201"]["Value"] == ["@/0100"]
    assert made["00081190"]["Value"][0].startswith("@/studies/")
