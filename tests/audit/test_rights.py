"""The portal's role on PostgreSQL writes the log and can't rewrite it, triggers or not."""

import pytest
from django.db import DatabaseError, connection, transaction

from sharing.audit import rights
from sharing.audit.models import Event
from sharing.audit.rules import SYSTEM, What
from sharing.audit.services import check, record, record_all, seal
from tests.cast import NOW

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no roles")
FORBIDDEN = (
    "UPDATE audit_event SET reason = 'x'",
    "DELETE FROM audit_event",
    "TRUNCATE audit_event, audit_tally",
    "ALTER TABLE audit_event DISABLE TRIGGER ALL",
    "DROP TRIGGER log_is_never_edited ON audit_event",
    "SET session_replication_role = replica",
    "DELETE FROM audit_leaf",
    "UPDATE audit_checkpoint SET root = ''",
    "UPDATE audit_tally SET event_id = 1",
)


def test_the_portals_role_appends_and_seals_and_does_nothing_else(db: None) -> None:
    record(who=SYSTEM, action="a", at=NOW)
    record_all(who=SYSTEM, action="b", at=NOW, whats=[What(), What()])
    assert seal(at=NOW) == 3
    assert check([]).findings == []
    refused = []
    with connection.cursor() as cursor:
        for statement in FORBIDDEN:
            with pytest.raises(DatabaseError) as caught, transaction.atomic():
                cursor.execute(statement)
            refused.append("permission denied" in str(caught.value) or "owner" in str(caught.value))
    assert all(refused), refused
    assert Event.objects.count() == 3


def test_each_table_of_the_log_has_its_rights() -> None:
    models = Event._meta.apps.get_app_config("audit").get_models()
    assert set(rights.RIGHTS) == {model._meta.db_table for model in models}
