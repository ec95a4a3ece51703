"""Places, heads, anchors and witnesses are appended to and never edited either."""

from django.db import migrations

TABLES = ("leaf", "node", "checkpoint", "anchored", "witness")
SQLITE = [
    f"CREATE TRIGGER {verb}_of_{table} BEFORE {verb} ON audit_{table} "
    "BEGIN SELECT RAISE(ABORT, 'the access log is append-only'); END"
    for table in TABLES
    for verb in ("UPDATE", "DELETE")
]
POSTGRESQL = [
    statement
    for table in TABLES
    for statement in (
        f"CREATE TRIGGER {table}_is_never_edited BEFORE UPDATE OR DELETE ON audit_{table} "
        "FOR EACH ROW EXECUTE FUNCTION log_is_append_only()",
        f"CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON audit_{table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION log_is_append_only()",
    )
]
UNDO = {
    "sqlite": [
        f"DROP TRIGGER {verb}_of_{table}" for table in TABLES for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        f"DROP TRIGGER {table}_is_never_{what} ON audit_{table}"
        for table in TABLES
        for what in ("edited", "emptied")
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
    dependencies = [("audit", "0004_sealing")]
    operations = [migrations.RunPython(guard, unguard)]
