"""The log leaves by syslog with TLS in its order, whatever the collector does; and it expires."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from fhir.resources.R4B.auditevent import AuditEvent

from sharing.audit.models import Event, Tally
from sharing.audit.rules import SYSTEM, Ground, What
from sharing.audit.services import (
    anchor,
    check,
    expire,
    feed,
    file_anchors,
    record,
    record_read,
    seal,
)
from sharing.audit.services import feeding as module
from tests.audit.collector import Collector, certificate
from tests.cast import NOW
from tests.committing import owning


def happen(*names: str, at: Any = NOW) -> None:
    """Events of those names, sealed."""
    for name in names:
        record(who=SYSTEM, action=name, at=at, what=What(study_uid="2.25.1"), ground=Ground())
    seal(at=at)


def test_the_collector_gets_each_event_once_it_is_back_in_order(
    db: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    assert feed() == 0  # no collector, nothing to send
    pem = certificate(tmp_path)
    collector = Collector(pem)
    settings.AUDIT_SYSLOG = f"tls://127.0.0.1:{collector.port}?ca={pem}"
    happen("study.images", "study.images.refused", "study.delete")
    assert feed() == 3
    collector.close()
    happen("study.share")
    assert feed() == 0
    other = Collector(pem)
    settings.AUDIT_SYSLOG = f"tls://127.0.0.1:{other.port}"  # one whom nobody vouches for
    assert feed() == 0
    settings.AUDIT_SYSLOG = f"tls://127.0.0.1:{other.port}?ca={pem}"
    assert [feed(), feed()] == [1, 0]
    other.close()
    assert [_subtype(m) for m in collector.messages + other.messages] == [
        "study.images", "study.images", "study.delete", "study.share",
    ]  # fmt: skip
    heads = [message.split(b" ", 7)[:7] for message in collector.messages]
    assert [head[0] for head in heads] == [b"<109>1", b"<109>1", b"<109>1"]
    assert heads[0][1:7] == [
        b"2026-11-24T09:00:00.000000Z", b"testserver", b"portal", b"-", b"AuditEvent", b"[meta",
    ]  # fmt: skip


def _subtype(message: bytes) -> str:
    _, body = message.split(b"\xef\xbb\xbf", 1)
    AuditEvent.model_validate_json(body)
    return str(json.loads(body)["subtype"][-1]["code"])


def test_what_is_older_than_the_retention_goes_by_whole_heads_and_the_log_says_so(
    db: None, tmp_path: Path, settings: Any
) -> None:
    settings.AUDIT_ANCHOR_FILE = tmp_path / "heads.ndjson"
    now = timezone.now()
    old, young = now - timedelta(days=7 * 366), now - timedelta(days=5 * 365)
    what = What(custodian="riverside", study_uid="2.25.1")
    record_read(who=SYSTEM, action="study.images", at=old, what=what, ground=Ground())
    happen("a", "b", at=old)
    happen("c", at=young)
    anchor(at=young)
    with owning():
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            Event.objects.filter(action="c")._raw_delete(Event.objects.db)
        assert [expire(at=now), expire(at=now)] == [3, 0]
    seal(at=now)
    assert list(Event.objects.order_by("pk").values_list("action", flat=True)) == [
        "c",
        "audit.expire",
    ]
    assert not Tally.objects.exists()
    report = check(file_anchors())
    assert (report.findings, report.expired, report.size) == ([], 3, 5)


def test_what_went_without_a_word_in_the_log_is_found(db: None) -> None:
    old = timezone.now() - timedelta(days=7 * 366)
    happen("a", "b", at=old)
    with owning(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_event WHERE action = 'a'")
    assert check([]).findings == [
        "Deleted: events are gone that the log does not say have expired."
    ]
    with pytest.raises(CommandError):
        call_command("audit", "verify")
