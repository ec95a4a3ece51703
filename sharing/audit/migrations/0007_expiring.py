"""Events of six years and more may go; what is younger the database itself keeps."""

from importlib import import_module

from django.db import migrations

BEFORE = import_module("sharing.audit.migrations.0002_append_only")
TALLY = import_module("sharing.audit.migrations.0003_neither_emptied_nor_counted_down")
SQLITE = [
    "DROP TRIGGER DELETE_of_log",
    "CREATE TRIGGER DELETE_of_log BEFORE DELETE ON audit_event "
    "WHEN OLD.at > datetime('now', '-6 years') "
    "BEGIN SELECT RAISE(ABORT, 'the access log is append-only'); END",
    "DROP TRIGGER DELETE_of_tally",
    "CREATE TRIGGER DELETE_of_tally BEFORE DELETE ON audit_tally "
    "WHEN (SELECT at FROM audit_event WHERE id = OLD.event_id) > datetime('now', '-6 years') "
    "BEGIN SELECT RAISE(ABORT, 'a tally is never deleted'); END",
]
POSTGRESQL = [
    "CREATE FUNCTION log_expires() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "BEGIN IF TG_OP = 'DELETE' THEN IF OLD.at < now() - interval '6 years' "
    "THEN RETURN OLD; END IF; END IF; "
    "RAISE EXCEPTION 'the access log is append-only'; END $$",
    "DROP TRIGGER log_is_never_edited ON audit_event",
    "CREATE TRIGGER log_is_never_edited BEFORE UPDATE OR DELETE ON audit_event "
    "FOR EACH ROW EXECUTE FUNCTION log_expires()",
    "CREATE FUNCTION tally_expires() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "BEGIN IF (SELECT at FROM audit_event WHERE id = OLD.event_id) < now() - interval '6 years' "
    "THEN RETURN OLD; END IF; RAISE EXCEPTION 'a tally is never deleted'; END $$",
    "DROP TRIGGER tally_is_never_lowered ON audit_tally",
    "CREATE TRIGGER tally_is_never_lowered BEFORE UPDATE ON audit_tally "
    "FOR EACH ROW EXECUTE FUNCTION tally_only_grows()",
    "CREATE TRIGGER tally_is_kept BEFORE DELETE ON audit_tally "
    "FOR EACH ROW EXECUTE FUNCTION tally_expires()",
]
UNDO = {
    "sqlite": [
        "DROP TRIGGER DELETE_of_log",
        BEFORE.SQLITE[1],
        "DROP TRIGGER DELETE_of_tally",
        TALLY.SQLITE[0],
    ],
    "postgresql": [
        "DROP TRIGGER tally_is_kept ON audit_tally",
        "DROP TRIGGER tally_is_never_lowered ON audit_tally",
        TALLY.POSTGRESQL[2],
        "DROP FUNCTION tally_expires()",
        "DROP TRIGGER log_is_never_edited ON audit_event",
        BEFORE.POSTGRESQL[1],
        "DROP FUNCTION log_expires()",
    ],
}


def guard(apps, editor):
    """Install the triggers of this database."""
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[editor.connection.vendor]:
        editor.execute(statement)


def unguard(apps, editor):
    """Put back those before."""
    for statement in UNDO[editor.connection.vendor]:
        editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("audit", "0006_feed")]
    operations = [migrations.RunPython(guard, unguard)]
