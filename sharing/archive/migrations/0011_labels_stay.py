"""A study never says less than what stands of its labels, and what was said of them is kept.

SQLite drops a table's triggers when Django rebuilds the table for a later migration: such a one
runs UNDO before and these statements after. A test holds that they are there.
"""

from django.db import migrations

WORDS = "a label is lifted by a person and by nothing else"
SAID = ("id", "public_id", "organization_id", "study_uid", "label", "rule_id", "set_by", "set_at", "reason")
LIFTED = ("lifted_at", "lifted_by", "lifted_why")

_LOWERED = (
    "EXISTS (SELECT 1 FROM archive_labelling l WHERE l.organization_id = NEW.organization_id"
    " AND l.study_uid = NEW.study_uid AND l.lifted_at IS NULL AND {find} = 0)"
)
_SQLITE_LOWERED = _LOWERED.format(find="instr(NEW.labels, '|' || l.label || '|')")
_POSTGRESQL_LOWERED = _LOWERED.format(find="strpos(NEW.labels, '|' || l.label || '|')")


def _rewritten(different):
    said = " OR ".join(f"NEW.{column} {different} OLD.{column}" for column in SAID)
    lifted = " OR ".join(f"NEW.{column} {different} OLD.{column}" for column in LIFTED)
    return f"{said} OR (OLD.lifted_at IS NOT NULL AND ({lifted}))"


def _sqlite(name, event, table, condition=""):
    when = f"WHEN {condition} " if condition else ""
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON archive_{table} FOR EACH ROW {when}"
        f"BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
    )


SQLITE = [
    _sqlite("study_keeps_its_labels", "UPDATE OF labels", "study", _SQLITE_LOWERED),
    _sqlite("labelling_is_not_rewritten", "UPDATE", "labelling", _rewritten("IS NOT")),
    _sqlite("labelling_is_not_deleted", "DELETE", "labelling"),
]


def _function(name, condition):
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {condition} THEN RAISE EXCEPTION '{WORDS}' USING ERRCODE = 'restrict_violation'; "
        "END IF; RETURN NEW; END $$"
    )


def _postgresql(name, event, table, function, each="ROW"):
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON archive_{table} "
        f"FOR EACH {each} EXECUTE FUNCTION {function}()"
    )


POSTGRESQL = [
    _function("labels_stay", _POSTGRESQL_LOWERED),
    _function("labelling_stays", _rewritten("IS DISTINCT FROM")),
    _function("labelling_is_kept", "true"),
    _postgresql("study_keeps_its_labels", "UPDATE OF labels", "study", "labels_stay"),
    _postgresql("labelling_is_not_rewritten", "UPDATE", "labelling", "labelling_stays"),
    _postgresql("labelling_is_not_deleted", "DELETE", "labelling", "labelling_is_kept"),
    _postgresql(
        "labelling_is_not_emptied", "TRUNCATE", "labelling", "labelling_is_kept", "STATEMENT"
    ),
]


def _undone(statement):
    words = statement.split()
    if words[1] == "FUNCTION":
        return f"DROP FUNCTION {words[2]}"
    table = words[words.index("ON") + 1]
    return f"DROP TRIGGER {words[2]} ON {table}"


UNDO = {
    "sqlite": [f"DROP TRIGGER {statement.split()[2]}" for statement in SQLITE],
    "postgresql": [_undone(statement) for statement in reversed(POSTGRESQL)],
}


def guard(apps, schema_editor):
    statements = {"sqlite": SQLITE, "postgresql": POSTGRESQL}[schema_editor.connection.vendor]
    for statement in statements:
        schema_editor.execute(statement, params=None)


def unguard(apps, schema_editor):
    for statement in UNDO[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0010_labels'),
    ]

    operations = [
        migrations.RunPython(guard, unguard),
    ]
