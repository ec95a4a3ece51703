"""What a version said is never changed, and its state moves by the table only: triggers refuse.

SQLite drops a table's triggers when Django rebuilds the table for a later migration: such a one
runs UNDO before and these statements after. A test holds that they are there.
"""

from django.db import migrations, models

SAID = (
    "id", "public_id", "number", "version", "custodian_id", "patient_id", "supersedes_id",
    "decision", "force", "starts_at", "ends_at", "since", "data_from", "data_until", "performer",
    "performer_name", "proxy_id", "verification", "verified_by", "verified_at", "witness",
    "language", "shown", "obligations", "maximum_uses", "recorded_by", "recorded_at",
)
PROXY = (
    "id", "public_id", "patient_id", "relation", "name", "incapacity", "starts_at", "document",
    "document_sha256", "recorded_by", "recorded_at",
)
MOVES = (
    ("draft", "active"), ("draft", "entered_in_error"), ("active", "revoked"),
    ("active", "expired"), ("active", "superseded"), ("active", "entered_in_error"),
    ("active", "needs_reaffirmation"), ("needs_reaffirmation", "revoked"),
    ("needs_reaffirmation", "expired"), ("needs_reaffirmation", "superseded"),
    ("needs_reaffirmation", "entered_in_error"),
)
WORDS = "what a consent said is never changed"
DETAILS = ("grantee", "term", "evidence")

_MOVED = " OR ".join(f"(OLD.state = '{a}' AND NEW.state = '{b}')" for a, b in MOVES)
_WRONG = (
    f"(NEW.state <> OLD.state AND NOT ({_MOVED})) OR NEW.used < OLD.used"
    " OR (OLD.ended_at IS NOT NULL AND (NEW.ended_at IS NULL OR NEW.ended_at <> OLD.ended_at))"
    " OR (OLD.lapses_at IS NOT NULL"
    " AND (NEW.lapses_at IS NULL OR NEW.lapses_at > OLD.lapses_at))"
)
_CHANGED = " OR ".join(f"NEW.{c} IS DISTINCT FROM OLD.{c}" for c in SAID)
_PROXY_CHANGED = " OR ".join(f"NEW.{c} IS DISTINCT FROM OLD.{c}" for c in PROXY)


def _different(columns):
    return " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in columns)


def _sqlite(name, event, table, condition=""):
    when = f"WHEN {condition} " if condition else ""
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON consent_{table} FOR EACH ROW {when}"
        f"BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
    )


SQLITE = [
    _sqlite("consent_is_not_rewritten", "UPDATE", "consent", f"{_different(SAID)} OR {_WRONG}"),
    _sqlite("consent_begins_as_a_draft", "INSERT", "consent", "NEW.state <> 'draft'"),
    _sqlite("consent_is_not_deleted", "DELETE", "consent"),
    _sqlite("proxy_is_not_rewritten", "UPDATE", "proxy", _different(PROXY)),
    _sqlite("proxy_is_not_deleted", "DELETE", "proxy"),
]
for _table in DETAILS:
    SQLITE += [
        _sqlite(f"{_table}_is_not_rewritten", "UPDATE", _table),
        _sqlite(f"{_table}_is_not_deleted", "DELETE", _table),
        _sqlite(
            f"{_table}_comes_with_the_draft", "INSERT", _table,
            "(SELECT state FROM consent_consent WHERE id = NEW.consent_id) <> 'draft'",
        ),
    ]


def _function(name, condition):
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {condition} THEN RAISE EXCEPTION '{WORDS}' USING ERRCODE = 'restrict_violation'; "
        "END IF; RETURN NEW; END $$"
    )


def _postgresql(name, event, table, function, each="ROW"):
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON consent_{table} "
        f"FOR EACH {each} EXECUTE FUNCTION {function}()"
    )


POSTGRESQL = [
    _function("consent_stays_said", f"({_CHANGED}) OR {_WRONG}"),
    _function("consent_begins", "NEW.state <> 'draft'"),
    _function("proxy_stays_said", _PROXY_CHANGED),
    _function(
        "detail_comes",
        "(SELECT state FROM consent_consent WHERE id = NEW.consent_id) <> 'draft'",
    ),
    _function("never_said", "true"),
    _postgresql("consent_is_not_rewritten", "UPDATE", "consent", "consent_stays_said"),
    _postgresql("consent_begins_as_a_draft", "INSERT", "consent", "consent_begins"),
    _postgresql("proxy_is_not_rewritten", "UPDATE", "proxy", "proxy_stays_said"),
]
for _table in ("consent", "proxy", *DETAILS):
    POSTGRESQL += [
        _postgresql(f"{_table}_is_not_deleted", "DELETE", _table, "never_said"),
        _postgresql(f"{_table}_is_not_emptied", "TRUNCATE", _table, "never_said", "STATEMENT"),
    ]
for _table in DETAILS:
    POSTGRESQL += [
        _postgresql(f"{_table}_is_not_rewritten", "UPDATE", _table, "never_said"),
        _postgresql(f"{_table}_comes_with_the_draft", "INSERT", _table, "detail_comes"),
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
        ('consent', '0004_versions_begin_somewhere'),
    ]

    operations = [
        migrations.AlterField('consent', 'since', models.DateTimeField()),
        migrations.RunPython(guard, unguard),
    ]
