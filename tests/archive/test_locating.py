"""A frame is found by its path and the fence in one query, whatever the archive's size."""

import pytest
from django.db import connection

from sharing.archive.models import Study
from sharing.archive.services import locating
from sharing.archive.services.locating import INSTANCE, SERIES, Asker, Where
from sharing.kernel.purposes import Action
from tests.cast import NOW, Person, Region
from tests.committing import owning


def fill(study: Study) -> None:
    """Three thousand studies like that one, under UIDs of their own."""
    own = {"public_id": "left(md5(n::text), 22)", "study_uid": "'2.25.' || n"}
    fields = [f for f in Study._meta.concrete_fields if not (f.primary_key or f.generated)]
    columns = [field.column for field in fields]
    drawn = ", ".join(own.get(column, column) for column in columns)
    with owning(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO archive_study ({', '.join(columns)}) SELECT {drawn}"  # noqa: S608
            " FROM archive_study, generate_series(1, 3000) n WHERE archive_study.id = %s",
            [study.pk],
        )
        cursor.execute("ANALYZE archive_study")  # what other tests left says that it is empty


def plan(person: Person, where: Where, joins: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps by which this database answers, first things first.

    PostgreSQL reads small tables whole whatever indexes there are; told not to, it shows whether
    there is another way. Of a table of a page each index costs the same: it gets some pages.
    """
    told: list[str] = []

    def explain(sql: str, params: list[object]) -> list[tuple[object, ...]]:
        how = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"{how} {sql}", params)
            told.extend(str(row[-1]) for row in cursor.fetchall())
        return []

    monkeypatch.setattr(locating, "rows", explain)
    named = (where.series_uid, where.sop_uid)[: joins.count("%s")]
    asker = Asker(person.actor, Action.IMAGES, NOW)
    locating.seen(asker, where, columns="1", joins=joins, named=named)
    return told


@pytest.mark.parametrize("custodian", ["", "riverside"])
@pytest.mark.parametrize("joins", ["", SERIES, f"LEFT {SERIES}", INSTANCE])
def test_no_table_is_read_whole_and_studies_are_found_by_their_uid(
    region: Region, monkeypatch: pytest.MonkeyPatch, joins: str, custodian: str
) -> None:
    where = Where("1.2", "1.2.3", "1.2.3.4", custodian)
    if connection.vendor == "postgresql":
        fill(region.study())
    steps = plan(region.ben, where, joins, monkeypatch)
    told = "\n".join(steps)
    if connection.vendor == "sqlite":
        assert [step for step in steps if step.startswith("SCAN")] == []
        studies = next(step for step in steps if step.startswith("SEARCH archive_study"))
        assert "study_uid=?" in studies
        pair = "sqlite_autoindex_archive_instance_1 (organization_id=? AND sop_uid=?)"
    else:
        assert "Seq Scan" not in told
        assert "studies_by_uid" in told or "a_study_uid_is_unique_at_its_custodian" in told
        pair = ""  # of an instance's two indexes PostgreSQL takes one by what it knows of the rows
    assert joins != INSTANCE or pair in told, told
