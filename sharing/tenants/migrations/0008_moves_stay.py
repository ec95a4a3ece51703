"""An organization's history is appended to and never edited; the database itself refuses.

Organizations that were there before begin with the line that says so.
"""

from django.db import migrations

WORDS = "the history of an organization is append-only"
SQLITE = [
    f"CREATE TRIGGER move_is_not_{name} BEFORE {verb} ON tenants_move "
    f"BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
    for name, verb in (("rewritten", "UPDATE"), ("deleted", "DELETE"))
]
POSTGRESQL = [
    "CREATE FUNCTION moves_stay() RETURNS trigger LANGUAGE plpgsql AS $$ "
    f"BEGIN RAISE EXCEPTION '{WORDS}' USING ERRCODE = 'restrict_violation'; END $$",
    "CREATE TRIGGER move_stays BEFORE UPDATE OR DELETE ON tenants_move "
    "FOR EACH ROW EXECUTE FUNCTION moves_stay()",
    "CREATE TRIGGER moves_are_not_emptied BEFORE TRUNCATE ON tenants_move "
    "FOR EACH STATEMENT EXECUTE FUNCTION moves_stay()",
]
UNDO = {
    "sqlite": ["DROP TRIGGER move_is_not_rewritten", "DROP TRIGGER move_is_not_deleted"],
    "postgresql": [
        "DROP TRIGGER move_stays ON tenants_move",
        "DROP TRIGGER moves_are_not_emptied ON tenants_move",
        "DROP FUNCTION moves_stay()",
    ],
}


def begin(apps, editor):
    """Who was there before this history began."""
    organizations = apps.get_model("tenants", "Organization")
    moves = apps.get_model("tenants", "Move")
    moves.objects.bulk_create(
        moves(
            organization=each,
            event="apply",
            before="",
            after="applied",
            by_kind="anonymous",
            by_name=each.contact_name or each.name,
            reason=f"Registered before this history began; {each.state} when it did.",
            at=each.applied_at,
        )
        for each in organizations.objects.exclude(kind="operator").order_by("pk")
    )
    if editor.connection.vendor == "postgresql":  # what waits for its check stands in the way
        editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def guard(apps, editor):
    """Install the triggers of this database."""
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[editor.connection.vendor]:
        editor.execute(statement)


def unguard(apps, editor):
    """Take them away again."""
    for statement in UNDO[editor.connection.vendor]:
        editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("tenants", "0007_moves")]
    operations = [
        migrations.RunPython(begin, migrations.RunPython.noop),
        migrations.RunPython(guard, unguard),
    ]
