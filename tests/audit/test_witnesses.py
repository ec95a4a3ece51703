"""Partners ask for heads and proofs by the API, and sign what continues what they saw."""

from itertools import pairwise
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client

from sharing.audit.models import Event
from sharing.audit.rules import SYSTEM
from sharing.audit.services import record, seal
from sharing.audit.services import sealing as module
from sharing.audit.services.witnessing import root_of
from sharing.audit.verifier import WITNESS, Signed, Tree, consistent
from tests.cast import NOW, Region
from tests.faces.dicomweb.conftest import token_client
from tests.sessions import sign_in

LOG = "/api/v1/log"


def grow(count: int) -> None:
    """Events, sealed."""
    for number in range(count):
        record(who=SYSTEM, action=f"test.{number}", at=NOW)
    seal(at=NOW)


def test_a_partner_sees_that_the_log_only_grows_and_signs_its_head(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_LEVELS", 2)
    monkeypatch.setattr("sharing.audit.services.witnessing.KEPT_LEVELS", 2)
    hilltop = token_client(region.hilltop, "log.witness")
    seen: list[Any] = []
    for count in (3, 18, 1):
        grow(count)
        seen.append(Signed.of(hilltop.get(f"{LOG}/heads/").json()).head)
    for one, two in pairwise(seen):
        asked = hilltop.get(f"{LOG}/consistency/?first={one.size}&second={two.size}")
        proof = [bytes.fromhex(node) for node in asked.json()["proof"]]
        roots = bytes.fromhex(one.root), bytes.fromhex(two.root)
        assert consistent(one.size, two.size, *roots, proof)
    key, newest = Ed25519PrivateKey.generate(), seen[-1]
    signed = {
        "key": key.public_key().public_bytes_raw().hex(),
        "signature": key.sign(WITNESS + newest.body).hex(),
    }
    where = f"{LOG}/heads/{newest.number}/witness/"
    first = f"{LOG}/heads/1/witness/"
    json = "application/json"
    assert hilltop.post(where, signed, json).status_code == 204
    assert hilltop.post(where, signed, json).status_code == 204
    assert hilltop.post(first, signed, json).status_code == 422
    another = Ed25519PrivateKey.generate()
    other = {
        "key": another.public_key().public_bytes_raw().hex(),
        "signature": another.sign(WITNESS + seen[0].body).hex(),
    }
    assert hilltop.post(first, other, json).status_code == 422  # it began with one key
    assert hilltop.post(f"{LOG}/heads/99/witness/", signed, json).status_code == 404
    assert hilltop.get(f"{LOG}/consistency/?first=9&second=2").status_code == 400
    kept = hilltop.get(f"{LOG}/heads/?after={newest.number - 1}").json()["heads"][0]
    assert kept["witnesses"] == [{"organization": "hilltop", **signed}]
    assert Event.objects.filter(action="audit.witness").count() == 1


def test_roots_of_parts_are_the_same_from_kept_nodes_and_from_leaves(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_LEVELS", 1)
    monkeypatch.setattr("sharing.audit.services.witnessing.KEPT_LEVELS", 1)
    grow(11)
    size = module.Checkpoint.objects.latest("number").size
    tree = Tree()
    for leaf in module.Leaf.objects.order_by("place"):
        tree.append(bytes(leaf.leaf))
    assert root_of(0, size) == tree.root()


def test_the_heads_are_for_witnesses_and_privacy_officers(region: Region) -> None:
    grow(1)
    askers = (
        (Client(), 401),
        (token_client(region.hilltop, "studies.read"), 403),
        (sign_in(Client(), region.ben.user), 403),
        (sign_in(Client(), region.olga.user), 200),
    )
    for client, status in askers:
        assert client.get(f"{LOG}/heads/").status_code == status
