"""PostgreSQL's row-level security as the second fence (ADR-008): put up after each migration.

The owner of the tables calls this; the portal serves as a role that owns nothing. Policies are code
and not migrations: what a table's columns were once is of no interest, and a test holds that each
table has its policy or its reason for none.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from portal.rowlevel import ties
from portal.rowlevel.policies import HOUSE, POLICIES, Policy
from sharing.audit import rights

_RIGHTS = "SELECT, INSERT, UPDATE, DELETE"
_MADE = ("reads", "makes", "changes", "ends")
AT_ONCE = 500
"""Patients whose ties are made anew in one transaction."""


def is_there() -> bool:
    """Whether this database can have it: SQLite has neither roles nor policies."""
    return connection.vendor == "postgresql"


@transaction.atomic
def lower(role: str = "") -> None:
    """Take away what speaks of columns, before migrations change these.

    What stays is the house's own policy: migrations see all. From the portal's role its rights are
    taken meanwhile, so that readers are told to come again and not that there is nothing.
    """
    if role:
        rights = sql.SQL("REVOKE {} ON ALL TABLES IN SCHEMA public FROM {}")
        _do(rights.format(sql.SQL(_RIGHTS), sql.Identifier(role)))
    for table in _standing():
        _take_down(table)


def speaks_of(name: str) -> bool:
    """Whether a policy, or what keeps the ties, names that table or column."""
    return name in _words()


@lru_cache(maxsize=1)
def _words() -> frozenset[str]:
    told = [text for each in POLICIES.items() for text in _statements(*each)]
    return frozenset(re.findall(r"\w+", " ".join((*told, *ties.MADE))))


def put_up(role: str = "") -> None:
    """All policies as they should be, the ties they ask for, and the rights of the portal's role.

    The portal may be serving: a table whose policies are right is not touched, and another one is
    locked alone and for a moment. Raises DatabaseError for an unknown role.
    """
    for statement in ties.MADE:
        _do(statement)
    held = _held()
    for table in _standing() - set(POLICIES):
        _take_down(table)
    for table, policy in POLICIES.items():
        statements = tuple(_statements(table, policy))
        if held.get(table) != _mark(statements):
            _stand(table, statements)
    _tie_anew()
    if role:
        _give(role)


@transaction.atomic
def _stand(table: str, statements: Sequence[str]) -> None:
    """The policies of one table, in one moment, with the mark by which they are known again."""
    _take_down(table)
    for statement in statements:
        _do(statement.replace("ROW.", f"{table}."))
    _do(f"COMMENT ON POLICY house ON {table} IS '{_mark(statements)}'")


def _take_down(table: str) -> None:
    for name in _MADE:
        _do(f'DROP POLICY IF EXISTS {name} ON "{table}"')


def _mark(statements: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(statements).encode()).hexdigest()


_HELD = """
SELECT c.relname, obj_description(p.oid, 'pg_policy') FROM pg_policy p
JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND p.polname = 'house' AND c.relrowsecurity AND c.relforcerowsecurity
AND (SELECT count(*) FROM pg_policy every WHERE every.polrelid = c.oid) = %s
"""


def _held() -> dict[str, str | None]:
    """The mark of each table that has all its policies, by table."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [len(_MADE) + 1])
        return dict(cursor.fetchall())


_KEPT_BY = "SELECT obj_description('access_tie'::regclass, 'pg_class')"


def _tie_anew() -> None:
    """Make all ties once more, where what keeps them is another than before: little by little, for
    whoever changes a consent meanwhile waits for one patient's.
    """
    mark = _mark(ties.MADE)
    with connection.cursor() as cursor:
        cursor.execute(_KEPT_BY)
        if cursor.fetchone() == (mark,):
            return
        last: int | None = 0
        while last is not None:
            cursor.execute(ties.SOME_ANEW, [last, AT_ONCE])
            (last, _) = cursor.fetchone()
    _do(f"COMMENT ON TABLE access_tie IS '{mark}'")


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


def _standing() -> set[str]:
    """The tables that have policies now, under the names they have now."""
    found = "SELECT DISTINCT tablename FROM pg_policies WHERE schemaname = 'public'"
    with connection.cursor() as cursor:
        cursor.execute(found)
        return {table for (table,) in cursor.fetchall()}


def is_lowered() -> bool:
    """Whether the portal's role was refused its rights for the time of a migration."""
    may = "SELECT NOT has_table_privilege(current_user, 'archive_study', 'SELECT')"
    with connection.cursor() as cursor:
        cursor.execute(may)
        return bool(cursor.fetchone()[0])


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
