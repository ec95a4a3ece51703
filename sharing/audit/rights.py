"""What the portal's own role may do with the tables of the log on PostgreSQL, and no more.

Migrations are run by the owner of the tables; the portal serves as a role that owns nothing. Then
neither a hole in the portal nor its password rewrites the log: triggers can't be switched off, and
there is no right to edit, delete or empty that they would have to refuse.
"""

from django.db import connection, transaction
from psycopg import sql

RIGHTS = {
    "audit_event": "SELECT, INSERT",
    "audit_tally": "SELECT, INSERT, UPDATE (count)",
    "audit_leaf": "SELECT, INSERT",
    "audit_node": "SELECT, INSERT",
    "audit_checkpoint": "SELECT, INSERT",
    "audit_anchored": "SELECT, INSERT",
    "audit_witness": "SELECT, INSERT",
    "audit_past": "SELECT, INSERT",
    "audit_feed": "SELECT, INSERT, UPDATE",
}


@transaction.atomic
def give(role: str) -> None:
    """Take all other rights of the log from the role and give it these; for the owner to call.

    Raises ValueError where the database is no PostgreSQL, and DatabaseError for an unknown role.
    """
    if connection.vendor != "postgresql":
        raise ValueError("Only PostgreSQL has roles.")
    name = sql.Identifier(role)
    with connection.cursor() as cursor:
        for table, rights in RIGHTS.items():
            where = sql.Identifier(table)
            cursor.execute(sql.SQL("REVOKE ALL ON {} FROM PUBLIC, {}").format(where, name))
            cursor.execute(
                sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(rights), where, name)  # ours
            )
