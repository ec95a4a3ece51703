"""The examples of the document are no inventions: each is sent, and what comes back is of its form.

One story of Riverside and Hilltop. The names of the examples stand for those of the story, and
their days for days to come.
"""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from sharing.api import examples
from sharing.api.schema import answers
from sharing.audit.services import seal
from sharing.kernel.purposes import Action
from tests.cast import Region
from tests.exchange.giving import lets_links
from tests.faces.api.test_examples import DOCUMENT, shown, strictly
from tests.sessions import sign_in

WHERE = {
    operation["operationId"]: (method, path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
APART = {
    "due_told_create": "tests/faces/api/test_due.py has the use that it needs",
    "shares_still_needed_create": "and the standing share",
    "copies_retrieve": "a researcher's: tests/faces/api/test_copies.py",
    "copies_zip_retrieve": "and its file",
    "log_heads_witness_create": "a signature is of one head: tests/audit/test_witnesses.py",
}


class Story:
    """Who speaks, and what the examples' names stand for."""

    def __init__(self, region: Region) -> None:
        self.people = {
            name: sign_in(Client(), getattr(region, person).user)
            for name, person in (
                ("ada", "ada"), ("ben", "ben"), ("mei", "mei"), ("olga", "olga"), ("ines", "admin"),
            )
        }  # fmt: skip
        self.told: set[str] = set()
        self.stands = {"{code}": "riverside"}

    def days(self, until: int, end: int) -> None:
        """When what is asked for ends, counted from now."""
        now = timezone.now()
        self.stands[examples.UNTIL] = (now + timedelta(days=until)).isoformat()
        self.stands[examples.CONSENT_ENDS] = (now + timedelta(days=end)).isoformat()

    def asks(self, who: str, name: str, query: str = "") -> Any:
        """Send the example of that operation; the answer is good, and of its form."""
        method, path, operation = WHERE[name]
        address = self._named(path) + query
        for body in sent_in(operation):
            answer = self.people[who].generic(
                method.upper(), address, self._named(body), content_type="application/json"
            )
            assert 200 <= answer.status_code < 300, (name, answer.content)
        self.told.add(name)
        for code, told in answers(operation):
            assert int(code) == answer.status_code, name
            strictly(told["schema"]).validate(answer.json())
        return answer.json() if answer.content else None

    def _named(self, text: str) -> str:
        for name, value in self.stands.items():
            text = text.replace(name, value)
        return text


def sent_in(operation: dict[str, Any]) -> list[str]:
    """The bodies that are shown; of a DELETE, whose body OpenAPI 3.0 can't name, in words."""
    content = operation.get("requestBody", {}).get("content", {}).values()
    bodies = [json.dumps(each) for told in content for each in shown(told)]
    return bodies or re.findall(r"`(\{.+\})`", operation["description"]) or [""]


@pytest.fixture
def story(region: Region) -> Story:
    """Pat has a study at Riverside, and lets Riverside share it and give links away."""
    cache.clear()
    region.at = timezone.now() - timedelta(hours=1)
    everything = frozenset(Action.RESHARE.ladder)
    consent = region.permit(organizations=(), named_by_custodian=True, actions=everything)
    lets_links(region, region.at)
    study, told = region.study(), Story(region)
    told.stands |= {
        examples.STUDY: study.public_id,
        "{study_id}": study.public_id,
        "{series_uid}": f"{study.study_uid}.1",
        "{patient_id}": region.pat.public_id,
        "{consent_id}": consent.public_id,
    }
    told.days(7, 20)
    return told


def test_every_example_is_taken_and_every_answer_is_of_its_form(story: Story) -> None:
    for scene in (looked_at, shared, linked, gathered, asked_for, kept, set_up, read_back):
        scene(story)
    assert set(WHERE) - story.told == set(APART)


def looked_at(story: Story) -> None:
    for name in (
        "me_retrieve", "studies_list", "studies_retrieve", "studies_series_list",
        "studies_series_instances_list", "patients_list", "patients_retrieve",
        "organizations_list", "organizations_retrieve", "jobs_list",
    ):  # fmt: skip
        story.asks("mei", name)
    story.asks("ada", "explain_retrieve", f"?study={story.stands[examples.STUDY]}")


def shared(story: Story) -> None:
    story.asks("ada", "shares_preview_create")
    story.stands["{share_id}"] = story.asks("ada", "shares_create")["id"]
    story.asks("ada", "shares_list", "?direction=given")
    story.asks("ben", "shares_retrieve")
    story.asks("ben", "shares_ask_renewal_create")
    story.asks("ada", "due_retrieve")
    story.asks("ada", "shares_renew_create")
    story.asks("ada", "shares_destroy")


def linked(story: Story) -> None:
    story.asks("ada", "links_preview_create")
    story.stands["{link_id}"] = story.asks("ada", "links_create")["id"]
    for name in ("links_list", "links_retrieve", "links_destroy"):
        story.asks("ada", name)


def gathered(story: Story) -> None:
    story.stands["{album_id}"] = story.asks("ada", "albums_create")["id"]
    for name in ("albums_list", "albums_members_create", "albums_partial_update"):
        story.asks("ada", name)
    [member] = story.asks("ada", "albums_retrieve")["members"]
    story.stands["{member_id}"] = member["id"]
    for name in (
        "albums_studies_destroy", "albums_studies_create", "albums_members_destroy",
        "albums_destroy",
    ):  # fmt: skip
        story.asks("ada", name)


def asked_for(story: Story) -> None:
    """Three times: one is answered with yes, one with no, one is taken back."""
    for who, answer in (("ada", "approve"), ("ada", "refuse"), ("ben", "withdraw")):
        story.stands["{request_id}"] = story.asks("ben", "requests_create")["id"]
        story.asks("ada", "requests_list", "?direction=received")
        story.asks("ada", "requests_retrieve")
        story.asks(who, f"requests_{answer}_create")


def kept(story: Story) -> None:
    for name in ("consents_list", "consents_retrieve", "consents_revoke_create"):
        story.asks("mei", name)


def set_up(story: Story) -> None:
    story.stands["{client_id}"] = story.asks("ines", "clients_create")["id"]
    story.stands["{webhook_id}"] = story.asks("ines", "webhooks_create")["id"]
    story.stands["{delivery_id}"] = story.asks("ines", "webhooks_test_create")["id"]
    for name in (
        "clients_list", "clients_retrieve", "clients_rotate_create", "clients_destroy",
        "webhooks_list", "webhooks_retrieve", "webhooks_rotate_create",
        "webhooks_deliveries_list", "webhooks_deliveries_again_create", "webhooks_partial_update",
        "webhooks_destroy", "staff_list",
    ):  # fmt: skip
        story.asks("ines", name)


def read_back(story: Story) -> None:
    seal(at=timezone.now())
    story.asks("olga", "audit_list")
    story.asks("olga", "log_heads_retrieve")
    story.asks("olga", "log_consistency_retrieve", "?first=1&second=1")
    story.asks("olga", "studies_destroy")
