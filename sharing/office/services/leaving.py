"""An organization leaves: all of it as files with checksums, then two persons let it be deleted."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from sharing.access.models import Share
from sharing.archive.errors import OnHold
from sharing.archive.models import Instance, Study
from sharing.archive.rules import Why
from sharing.archive.services.leaving import Order, lock
from sharing.archive.services.rejecting import stored_pieces
from sharing.archive.services.removing import delete_locked
from sharing.audit.models import Event
from sharing.audit.rules import SYSTEM, What, Who
from sharing.audit.services import record
from sharing.consent.models import Consent
from sharing.kernel.lifecycle import NotNow
from sharing.office.errors import ExportMissing, SamePerson
from sharing.office.models import Leaving
from sharing.outbox.services import promise
from sharing.partners.services import end_all_clients
from sharing.tenants import services as tenants
from sharing.tenants.models import Membership, Move, Organization
from sharing.tenants.rules import Actor, Duty, OrganizationState, Role

SUMS = "SHA256SUMS"
Lines = Iterable[Mapping[str, Any]]


def leaving_of(organization_id: int) -> Leaving | None:
    """How far it is; None: it does not leave, or did."""
    return Leaving.objects.filter(organization_id=organization_id, ended_at=None).first()


def export(*, organization_id: int, at: datetime) -> Leaving | None:
    """Write all that the organization brought into a folder, with SHA256SUMS.

    None where it does not leave any more. Raises BlobUnavailable, OSError: the bell rings again.
    """
    own = Organization.objects.get(pk=organization_id)
    if own.state != OrganizationState.OFFBOARDING:
        return None
    found, _ = Leaving.objects.get_or_create(
        organization=own, ended_at=None, defaults={"begun_at": at}
    )
    if found.exported_at is not None:
        return found
    folder = Path(settings.DATA_DIR, "exports", f"{own.code}-{found.public_id}")
    sums = dict(_files(own, folder))
    text = "".join(f"{digest}  {name}\n" for name, (digest, _) in sorted(sums.items()))
    _write(folder / SUMS, [text.encode()])
    found.folder, found.files = str(folder.relative_to(settings.DATA_DIR)), len(sums)
    found.size = sum(size for _, size in sums.values())
    found.manifest_sha256 = hashlib.sha256(text.encode()).hexdigest()
    with transaction.atomic():
        found.exported_at = at
        found.save(update_fields=["folder", "files", "size", "manifest_sha256", "exported_at"])
        detail = {"files": found.files, "bytes": found.size, "sha256": found.manifest_sha256}
        what = What(custodian=own.code, detail=detail)
        record(who=SYSTEM, action="organization.export", at=at, what=what)
    return found


def _files(own: Organization, folder: Path) -> Iterator[tuple[str, tuple[str, int]]]:
    """(name, (hash, size)) of each file as it is written."""
    rows = Instance.objects.filter(organization=own).order_by("pk")
    columns = ("series__study__study_uid", "sop_uid", "blob", "offset", "length", "sha256")
    for study_uid, sop_uid, blob, offset, length, sha256 in rows.values_list(*columns).iterator():
        name = f"dicom/{study_uid}/{sop_uid}.dcm"
        digest, size = _write(folder / name, stored_pieces(blob, offset, length))
        if digest != sha256:
            raise OSError("an image is not what was stored")
        yield name, (digest, size)
    for name, lines in _tables(own):
        yield name, _write(folder / name, (_line(each) for each in lines))


def _tables(own: Organization) -> Iterator[tuple[str, Lines]]:
    """What stands beside the images, a JSON object a line."""
    yield "organization.ndjson", Organization.objects.filter(pk=own.pk).values()
    yield "history.ndjson", Move.objects.filter(organization=own).order_by("pk").values()
    members = Membership.objects.filter(organization=own).order_by("pk")
    yield "people.ndjson", members.values("user__name", "user__email", "role", "since", "ended_at")
    yield "consents.ndjson", _consents(own)
    yield "shares.ndjson", Share.objects.filter(custodian=own).order_by("pk").values()
    yield "log.ndjson", Event.objects.filter(custodian=own.code).order_by("pk").values().iterator()


def _consents(own: Organization) -> Lines:
    for consent in Consent.objects.filter(custodian=own).order_by("pk").iterator():
        row = {field.attname: getattr(consent, field.attname) for field in consent._meta.fields}
        yield row | {
            "patient": consent.patient.identifier,
            "terms": list(consent.terms.values("axis", "value")),
            "grantees": list(consent.grantees.values()),
        }


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False).encode() + b"\n"


def _write(path: Path, pieces: Iterable[bytes]) -> tuple[str, int]:
    """Whole or not at all, under its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, size, half = hashlib.sha256(), 0, path.with_name(path.name + ".part")
    with half.open("wb") as out:
        for piece in pieces:
            out.write(piece)
            digest.update(piece)
            size += len(piece)
    half.replace(path)
    return digest.hexdigest(), size


@transaction.atomic
def ask_closing(*, organization: Organization, by: Actor, at: datetime) -> Leaving:
    """The first of two: it may be deleted. Raises NotAllowed, NotNow, ExportMissing."""
    found = _to_close(organization, by)
    if found.exported_at is None:
        raise ExportMissing()
    found.asked_by, found.asked_by_id, found.asked_at, found.stopped = by.name, by.id, at, ""
    found.save(update_fields=["asked_by", "asked_by_id", "asked_at", "stopped"])
    what = What(custodian=organization.code, detail={"leaving": found.public_id})
    record(who=by.who, action="organization.ask_close", at=at, what=what)
    return found


@transaction.atomic
def confirm_closing(*, organization: Organization, by: Actor, at: datetime) -> Leaving:
    """The second of two: it is deleted. Raises NotAllowed, NotNow, ExportMissing, SamePerson."""
    found = _to_close(organization, by)
    if found.exported_at is None or found.asked_at is None:
        raise ExportMissing()
    if found.asked_by_id == by.id or not (_is_operator(found.asked_by_id) or _decides(by)):
        raise SamePerson()
    found.confirmed_by, found.confirmed_by_id, found.confirmed_at = by.name, by.id, at
    found.save(update_fields=["confirmed_by", "confirmed_by_id", "confirmed_at"])
    promise("office.close", at=at, leaving_id=found.pk)
    what = What(custodian=organization.code, detail={"leaving": found.public_id})
    record(who=by.who, action="organization.confirm_close", at=at, what=what)
    return found


def _to_close(organization: Organization, by: Actor) -> Leaving:
    """The leaving of that organization, locked, for its administrator or the operator."""
    own = organization.pk == by.organization_id
    tenants.require(by, Duty.RUN_ORGANIZATION if own else Duty.APPROVE_ORGANIZATIONS)
    rows = Leaving.objects.select_for_update().filter(organization=organization, ended_at=None)
    found = rows.first()
    if found is None or found.confirmed_at is not None:
        raise NotNow()
    return found


def _decides(by: Actor) -> bool:
    return by.may(Duty.APPROVE_ORGANIZATIONS)


def _is_operator(public_id: str) -> bool:
    held = Membership.objects.filter(user__public_id=public_id, ended_at=None, role=Role.OPERATOR)
    return held.filter(organization__kind=Organization.Kind.OPERATOR).exists()


def close(*, leaving_id: int, at: datetime) -> bool:
    """Check all sums, delete study by study, end tokens, close. True when it is done.

    A hold or a wrong sum stops it: what is wrong stands in `stopped`, and it is asked for anew.
    """
    found = Leaving.objects.select_related("organization").get(pk=leaving_id)
    if found.ended_at is not None or found.confirmed_at is None:
        return found.ended_at is not None
    who = Who(kind="user", id=found.confirmed_by_id, name=found.confirmed_by)
    try:
        _check_sums(Path(settings.DATA_DIR, found.folder))
        _delete_all(found.organization, who, at)
    except (OnHold, ExportMissing) as why:
        _stop(found, str(why))
        return False
    _end(found, who, at)
    return True


def _check_sums(folder: Path) -> None:
    """Raises ExportMissing where a file is absent or another one."""
    try:
        for line in (folder / SUMS).read_text(encoding="utf-8").splitlines():
            digest, _, name = line.partition("  ")
            with (folder / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    raise ExportMissing()
    except OSError:
        raise ExportMissing() from None


def _delete_all(own: Organization, who: Who, at: datetime) -> None:
    """Each study in a transaction of its own; what was deleted stays deleted. Raises OnHold."""
    for pk in list(Study.objects.filter(organization=own).values_list("pk", flat=True)):
        with transaction.atomic():
            order = Order(Why.OTHER, "The organization left the region", who, at)
            delete_locked(lock(pk), order)


def _stop(found: Leaving, why: str) -> None:
    found.stopped, found.asked_at, found.confirmed_at = why, None, None
    found.asked_by = found.asked_by_id = found.confirmed_by = found.confirmed_by_id = ""
    found.save()


@transaction.atomic
def _end(found: Leaving, who: Who, at: datetime) -> None:
    own = found.organization
    end_all_clients(organization_id=own.pk, by=who, at=at)
    why = f"Exported, and deleted at the word of {found.asked_by} and {found.confirmed_by}."
    tenants.close(
        organization_id=own.pk, by=who, why=why, at=at, files=found.files,
        sha256=found.manifest_sha256, asked_by=found.asked_by, confirmed_by=found.confirmed_by,
    )  # fmt: skip
    found.ended_at = at
    found.save(update_fields=["ended_at"])


def stay(*, organization: Organization, why: str, by: Actor, at: datetime) -> None:
    """It does not leave: the export stays where it is, and the leaving has ended."""
    with transaction.atomic():
        tenants.stay(organization=organization, why=why, by=by, at=at)
        Leaving.objects.filter(organization=organization, ended_at=None).update(ended_at=at)
