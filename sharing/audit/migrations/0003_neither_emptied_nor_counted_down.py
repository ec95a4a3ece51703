"""The whole log can't be emptied at once, and how often something was read only grows."""

from django.db import migrations

SQLITE = [
    "CREATE TRIGGER DELETE_of_tally BEFORE DELETE ON audit_tally "
    "BEGIN SELECT RAISE(ABORT, 'a tally is never deleted'); END",
    "CREATE TRIGGER UPDATE_of_tally BEFORE UPDATE ON audit_tally "
    "WHEN NEW.event_id <> OLD.event_id OR NEW.count < OLD.count "
    "BEGIN SELECT RAISE(ABORT, 'a tally only grows'); END",
]
POSTGRESQL = [
    "CREATE TRIGGER log_is_never_emptied BEFORE TRUNCATE ON audit_event "
    "FOR EACH STATEMENT EXECUTE FUNCTION log_is_append_only()",
    "CREATE FUNCTION tally_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "BEGIN IF TG_OP = 'UPDATE' THEN "
    "IF NEW.event_id = OLD.event_id AND NEW.count >= OLD.count THEN RETURN NEW; END IF; END IF; "
    "RAISE EXCEPTION 'a tally only grows'; END $$",
    "CREATE TRIGGER tally_is_never_lowered BEFORE UPDATE OR DELETE ON audit_tally "
    "FOR EACH ROW EXECUTE FUNCTION tally_only_grows()",
    "CREATE TRIGGER tally_is_never_emptied BEFORE TRUNCATE ON audit_tally "
    "FOR EACH STATEMENT EXECUTE FUNCTION tally_only_grows()",
]
UNDO = {
    "sqlite": ["DROP TRIGGER DELETE_of_tally", "DROP TRIGGER UPDATE_of_tally"],
    "postgresql": [
        "DROP TRIGGER log_is_never_emptied ON audit_event",
        "DROP TRIGGER tally_is_never_lowered ON audit_tally",
        "DROP TRIGGER tally_is_never_emptied ON audit_tally",
        "DROP FUNCTION tally_only_grows()",
    ],
}


def guard(apps, editor):
    """Install the triggers of this database."""
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[editor.connection.vendor]:
        editor.execute(statement)


def unguard(apps, editor):
    """Take them away again."""
    for statement in UNDO[editor.connection.vendor]:
        editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]
    operations = [migrations.RunPython(guard, unguard)]
