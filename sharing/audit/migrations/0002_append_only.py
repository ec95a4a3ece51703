"""The log is appended to and never edited: the database itself refuses."""

from django.db import migrations

SQLITE = [
    "CREATE TRIGGER {verb}_of_log BEFORE {verb} ON audit_event "
    "BEGIN SELECT RAISE(ABORT, 'the access log is append-only'); END".format(verb=verb)
    for verb in ("UPDATE", "DELETE")
]
POSTGRESQL = [
    "CREATE FUNCTION log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "BEGIN RAISE EXCEPTION 'the access log is append-only'; END $$",
    "CREATE TRIGGER log_is_never_edited BEFORE UPDATE OR DELETE ON audit_event "
    "FOR EACH ROW EXECUTE FUNCTION log_is_append_only()",
]
UNDO = {
    "sqlite": ["DROP TRIGGER UPDATE_of_log", "DROP TRIGGER DELETE_of_log"],
    "postgresql": [
        "DROP TRIGGER log_is_never_edited ON audit_event",
        "DROP FUNCTION log_is_append_only()",
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
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
