"""PostgreSQL's row-level security as the second fence (ADR-008): put up after each migration.

The owner of the tables calls this; the portal serves as a role that owns nothing. Policies are code
and not migrations: what a table's columns were once is of no interest, and a test holds that each
table has its policy or its reason for none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from portal.rowlevel import ties
from portal.rowlevel.policies import HOUSE, POLICIES, Policy
from sharing.audit import rights

_RIGHTS = "SELECT, INSERT, UPDATE, DELETE"
_MADE = ("reads", "makes", "changes", "ends")


def is_there() -> bool:
    """Whether this database can have it: SQLite has neither roles nor policies."""
    return connection.vendor == "postgresql"


def lower() -> None:
    """Take away what speaks of columns, before migrations change them.

    What stays is the house's own policy: migrations see all, and nobody else anything.
    """
    for table in _standing():
        for name in _MADE:
            _do(f'DROP POLICY IF EXISTS {name} ON "{table}"')


@transaction.atomic
def put_up(role: str = "") -> None:
    """All policies anew, the ties they ask for, and the rights of the portal's role if it has one.

    Raises DatabaseError for an unknown role.
    """
    for statement in ties.MADE:
        _do(statement)
    lower()
    for table, policy in POLICIES.items():
        for statement in _statements(table, policy):
            _do(statement.replace("ROW.", f"{table}."))
    _do(ties.ALL_ANEW)
    if role:
        _give(role)


def _statements(table: str, policy: Policy) -> Iterator[str]:
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
    yield f"DROP POLICY IF EXISTS house ON {table}"
    yield f"CREATE POLICY house ON {table} USING ({HOUSE}) WITH CHECK ({HOUSE})"
    yield f"CREATE POLICY reads ON {table} FOR SELECT USING ({policy.reads})"
    makes = policy.makes or policy.writes
    yield f"CREATE POLICY makes ON {table} FOR INSERT WITH CHECK ({makes})"
    yield f"CREATE POLICY changes ON {table} FOR UPDATE USING ({policy.writes})"
    yield f"CREATE POLICY ends ON {table} FOR DELETE USING ({policy.writes})"


def _give(role: str) -> None:
    """To the portal's role what serving takes: rows, and nothing of the tables themselves."""
    name = sql.Identifier(role)
    for text in (
        "GRANT USAGE ON SCHEMA public TO {}",
        f"GRANT {_RIGHTS} ON ALL TABLES IN SCHEMA public TO {{}}",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}",
        "REVOKE INSERT, UPDATE, DELETE ON access_tie, django_migrations FROM {}",
    ):
        _do(sql.SQL(text).format(name))
    rights.give(role)


def _standing() -> list[str]:
    """The tables that have policies now, under the names they have now."""
    found = "SELECT DISTINCT tablename FROM pg_policies WHERE schemaname = 'public'"
    with connection.cursor() as cursor:
        cursor.execute(found)
        return [table for (table,) in cursor.fetchall()]


def _do(statement: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def as_owner() -> Iterator[None]:
    """Inside, the connection is of the owner of the tables (DATABASE_OWNER_URL), where named."""
    if not settings.DATABASE_OWNER:
        yield
        return
    served = _sign_in(settings.DATABASE_OWNER)
    try:
        yield
    finally:
        _sign_in(served)


def _sign_in(values: dict[str, Any]) -> dict[str, Any]:
    """With another name, at the same database; returns what was."""
    served: Any = connection
    held = served.settings_dict
    before = {key: held[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "OPTIONS")}
    served.close()
    served.close_pool()
    held.update({key: values[key] for key in before})
    return before


_TOO_MIGHTY = """
SELECT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user),
EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
        AND pg_has_role(current_user, c.relowner, 'USAGE')),
(SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relname = ANY (%s)
        AND NOT (c.relrowsecurity AND c.relforcerowsecurity))
"""


def mistakes() -> Iterator[str]:
    """What would make the second fence none, in sentences. Raises django.db.Error."""
    with connection.cursor() as cursor:
        cursor.execute(_TOO_MIGHTY, [list(POLICIES)])
        passes, owns, unfenced = cursor.fetchone()
    if passes:
        yield "DATABASE_URL must name a role that can't pass row-level security."
    if owns:
        yield "DATABASE_URL must name a role that owns no table; see DATABASE_OWNER_URL."
    if unfenced:
        yield "Tables without row-level security: run manage.py migrate as their owner."
