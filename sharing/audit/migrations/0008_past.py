"""Former values, kept as the log is: appended, never edited."""

from django.db import migrations, models

SQLITE = [
    "CREATE TRIGGER {verb}_of_past BEFORE {verb} ON audit_past "
    "BEGIN SELECT RAISE(ABORT, 'what was is not changed'); END".format(verb=verb)
    for verb in ("UPDATE", "DELETE")
]
POSTGRESQL = [
    "CREATE FUNCTION past_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "BEGIN RAISE EXCEPTION 'what was is not changed'; END $$",
    "CREATE TRIGGER past_is_never_edited BEFORE UPDATE OR DELETE ON audit_past "
    "FOR EACH ROW EXECUTE FUNCTION past_is_append_only()",
]
UNDO = {
    "sqlite": ["DROP TRIGGER UPDATE_of_past", "DROP TRIGGER DELETE_of_past"],
    "postgresql": [
        "DROP TRIGGER past_is_never_edited ON audit_past",
        "DROP FUNCTION past_is_append_only()",
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
    dependencies = [("audit", "0007_expiring")]
    operations = [
        migrations.CreateModel(
            name="Past",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=20)),
                ("key", models.CharField(blank=True, max_length=64)),
                ("until", models.DateTimeField()),
                ("value", models.JSONField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["kind", "key", "until"], name="past_of_a_thing")
                ],
            },
        ),
        migrations.RunPython(guard, unguard),
    ]
