"""The journal of removals in the store, beside the bytes: it outlives a restore of the database.

After a restore `replay` does again what the journal says was done, before anybody is served
(`manage.py reconcile --replay`): what was erased must not come back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from django.db import transaction

from sharing.archive.models import Instance, Removal, Study, Withheld
from sharing.archive.rules import RemovalKind, Why
from sharing.audit.rules import What, Who
from sharing.blobs import new_key, scratch, store, sync
from sharing.tenants.models import Organization

from .leaving import Order, count_again, forget_study, journal, owe_erasure, withhold

FORMAT = 1


@dataclass
class Replayed:
    """What a replay did: entries known already, done again, and of organizations unknown here."""

    known: int = 0
    done: int = 0
    strange: int = 0


def write_journal(*, removal_id: int) -> None:
    """Put a line of the journal into the store; safe to call twice."""
    removal = Removal.objects.select_related("organization").filter(pk=removal_id, blob="").first()
    if removal is None:
        return
    key = new_key(removal.organization.code, "journal", "json")
    with scratch() as handle:
        handle.write(orjson.dumps(_entry(removal)))
        sync(handle)
        store().adopt(key, Path(handle.name))
    Removal.objects.filter(pk=removal.pk, blob="").update(blob=key)


def is_journal(key: str) -> bool:
    """Whether a key is the journal's: never an orphan, a restored database has yet to read it."""
    return key.split("/")[1:2] == ["journal"]


def _entry(removal: Removal) -> dict[str, Any]:
    columns = ("public_id", "kind", "of", "study_uid", "study", "patient", "instances", "reason",
               "words", "by_kind", "by_id", "by_name")  # fmt: skip
    return {
        "format": FORMAT,
        "organization": removal.organization.code,
        "at": removal.at.isoformat(),
        "images": list(removal.withheld.values_list("series_uid", "sop_uid", "sha256")),
        **{name: getattr(removal, name) for name in columns},
    }


def entries() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every line that stands in the store, with its key, in no order."""
    for key in store().keys():  # noqa: SIM118 - a store is no mapping
        if is_journal(key):
            yield key, orjson.loads(store().read(key, 0, store().size(key)))


def replay() -> Replayed:
    """Do again what the journal says and the database does not know, in the order of time."""
    done = Replayed()
    found = {entry["public_id"]: (key, entry) for key, entry in entries()}
    returned = {entry["of"] for _, entry in found.values()}
    for key, entry in sorted(found.values(), key=lambda pair: pair[1]["at"]):
        organization = Organization.objects.filter(code=entry["organization"]).first()
        if organization is None:
            done.strange += 1
        elif Removal.objects.filter(public_id=entry["public_id"]).exists():
            done.known += 1
        else:
            done.done += 1
            _again(organization, key, entry, undone=entry["public_id"] in returned)
    return done


@transaction.atomic
def _again(organization: Organization, key: str, entry: dict[str, Any], *, undone: bool) -> None:
    """One line, in one transaction. A hold does not stop it: it happened before."""
    at = datetime.fromisoformat(entry["at"])
    who = Who(entry["by_kind"], entry["by_id"], entry["by_name"], organization.code)
    order = Order(Why(entry["reason"]), entry["words"], who, at, entry["public_id"])
    what = What(organization.code, entry["patient"], entry["study"], entry["study_uid"])
    kind = RemovalKind(entry["kind"])
    removal = journal(
        organization.pk, what, kind, order, instances=entry["instances"], of=entry["of"]
    )
    Removal.objects.filter(pk=removal.pk).update(blob=key)
    rows = Study.objects.select_for_update(of=("self",)).with_owners()
    study = rows.filter(
        organization=organization, study_uid=entry["study_uid"], received_at__lte=at
    ).first()
    if kind == RemovalKind.DELETED and study is not None:
        owe_erasure(organization.pk, forget_study(study, at), at)
    if kind == RemovalKind.REJECTED and not undone:
        _reject_again(study, removal, entry["images"])


def _reject_again(study: Study | None, removal: Removal, images: list[list[str]]) -> None:
    """What is there leaves; what is not there is refused when it comes."""
    here: set[str] = set()
    if study is not None:
        rows = Instance.objects.filter(
            series__study=study, sop_uid__in=[sop_uid for _, sop_uid, _ in images]
        )
        here = {row.sop_uid for row in withhold(study, rows, removal, refused=True)}
        if here:
            count_again(study, removal.at)
    Withheld.objects.bulk_create(
        Withheld(
            removal=removal,
            organization_id=removal.organization_id,
            study_uid=removal.study_uid,
            series_uid=series_uid,
            sop_uid=sop_uid,
            sha256=sha256,
            offset=0,
            length=0,
            refused=True,
            purge_at=removal.at,
            purged_at=removal.at,
        )
        for series_uid, sop_uid, sha256 in images
        if sop_uid not in here
    )
