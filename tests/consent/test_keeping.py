"""What was said stays said: the database itself refuses, on both vendors."""

import pytest
from django.db import DatabaseError, connection, transaction

from sharing.consent.models import Consent, Evidence, Grantee, Proxy, Term
from sharing.consent.rules import NEXT, ConsentState
from tests.cast import NOW, Region

ROUTES = {  # how a version comes into each state
    ConsentState.DRAFT: (),
    ConsentState.ACTIVE: ("active",),
    ConsentState.NEEDS_REAFFIRMATION: ("active", "needs_reaffirmation"),
    ConsentState.REVOKED: ("active", "revoked"),
    ConsentState.EXPIRED: ("active", "expired"),
    ConsentState.SUPERSEDED: ("active", "superseded"),
    ConsentState.ENTERED_IN_ERROR: ("entered_in_error",),
}


def refused(statement: str, *values: object) -> bool:
    """Whether the triggers refuse it; nothing of it stays."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
            transaction.set_rollback(True)
    except DatabaseError as error:
        return "what a consent said is never changed" in str(error)
    return False


def a_draft(region: Region, number: int) -> Consent:
    return Consent.objects.create(
        number=number, custodian=region.riverside, patient=region.pat, decision="permit",
        starts_at=NOW, since=NOW, verification="verbal", recorded_by="Mei", recorded_at=NOW,
    )  # fmt: skip


def test_the_state_moves_by_the_table_and_by_nothing_else(region: Region) -> None:
    for number, (state, route) in enumerate(ROUTES.items()):
        consent = Consent.objects.filter(pk=a_draft(region, number).pk)
        for step in route:
            consent.update(state=step)
        for target in ConsentState:
            moved = state == target or any(
                was == state and will == target for (was, _), will in NEXT.items()
            )
            told = refused(
                "UPDATE consent_consent SET state = %s WHERE number = %s", target, number
            )
            assert told != moved, f"{state} -> {target}"


@pytest.mark.parametrize("model", [Consent, Grantee, Term, Evidence, Proxy])
def test_not_a_column_of_what_was_said_can_be_changed(region: Region, model: type) -> None:
    consent = region.permit(modalities=frozenset({"CT"}))
    if model is Proxy:
        Proxy.objects.create(
            patient=region.pat, relation="parent", name="Pa", starts_at=NOW, document="d",
            recorded_by="Mei", recorded_at=NOW,
        )  # fmt: skip
    may_move = {
        Consent: {"state", "used", "lapses_at", "ended_by", "ended_at", "ended_why"},
        Proxy: {"ends_at", "ended_by", "ended_why"},
    }.get(model, set())
    table = model._meta.db_table
    for field in model._meta.concrete_fields:
        column = field.column
        if column in may_move:
            continue
        other = {"BooleanField": True, "DateField": "2001-01-01", "DateTimeField": "2001-01-01"}
        kind = field.get_internal_type()  # no row has this key, nor was any text said so
        value = other.get(kind, 32_007 if kind != "CharField" else "x")
        assert refused(f"UPDATE {table} SET {column} = %s", value), column  # noqa: S608
    assert refused(f"DELETE FROM {table}")  # noqa: S608
    consent.refresh_from_db()


def test_nothing_is_added_to_a_version_that_speaks(region: Region) -> None:
    consent = region.permit()
    for late in (
        Term(consent=consent, axis="action", value="download"),
        Grantee(consent=consent, kind="everyone"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            late.save()


def test_a_version_begins_as_a_draft_and_what_ended_stays_ended(region: Region) -> None:
    consent = region.revoke(region.permit())
    statement = "UPDATE consent_consent SET {} = %s WHERE id = %s"
    assert refused(statement.format("ended_at"), "2001-01-01", consent.pk)
    assert refused(statement.format("used"), -1, consent.pk)
    copy = a_draft(region, 7)
    copy.pk, copy.public_id, copy.version, copy.state = None, "other", 2, "active"
    with pytest.raises(DatabaseError), transaction.atomic():
        copy.save(force_insert=True)
