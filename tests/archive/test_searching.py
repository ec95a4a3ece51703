"""Searches give what the decision allows and the keys match, no more and no less, in one order; and
they walk along indexes, so that what is hidden or doesn't match costs nothing.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from sharing.access.services import decide_many
from sharing.archive.models import Study
from sharing.archive.services.searching import (
    Query,
    arms,
    finding,
    search_instances,
    search_series,
    search_studies,
    stored,
)
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.rules import Actor
from tests import cast
from tests.access import worlds
from tests.cast import NOW, Region, make_patient, make_study

TODAY = NOW.date()
_DAYS = f"{TODAY - timedelta(days=1):%Y%m%d}-{TODAY + timedelta(days=2):%Y%m%d}"


def _in_days(study: Study) -> bool:
    day = study.study_date
    return day is not None and TODAY - timedelta(days=1) <= day <= TODAY + timedelta(days=2)


SHAPES: list[tuple[dict[str, str], Any]] = [
    ({}, lambda study: True),
    ({"PatientName": "Moreau*"}, lambda study: study.patient.certain),
    ({"PatientName": "mo zz*"}, lambda study: False),
    ({"PatientID": "RV-1"}, lambda study: study.patient.certain),
    ({"StudyDate": _DAYS}, _in_days),
    ({"ModalitiesInStudy": "CT"}, lambda study: "CT" in study.modality_list),
    (
        {"StudyDate": _DAYS, "ModalitiesInStudy": "MR"},
        lambda study: _in_days(study) and "MR" in study.modality_list,
    ),
]
"""Keys, and what they mean: one for each way of walking."""


class SearchingIsDeciding(TestCase):
    """Many small worlds: some in each run, WORLDS=1000 in a soak."""

    @settings(
        max_examples=int(os.environ.get("WORLDS", "10")),
        phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        consents=st.lists(worlds.CONSENTS, max_size=4),
        studies=st.lists(worlds.STUDIES, min_size=1, max_size=4),
        grants=st.lists(worlds.GRANTS, max_size=3),
        region=worlds.REGIONS,
        shape=st.sampled_from(SHAPES),
        few=st.sampled_from([5000, 1, 0]),
    )
    def test_a_search_is_the_decision_for_each_study(
        self, consents, studies, grants, region, shape, few
    ):
        world = cast.region.__wrapped__(None)
        worlds.settle(world, region)
        made = [worlds.add_study(world, facts) for facts in studies]
        for said in consents:
            worlds.add_consent(world, made, said)
        for given_ in grants:
            worlds.add_grant(world, made, given_)
        keys, matches = shape
        made = list(Study.objects.with_owners().order_by("pk"))
        subjects = [study.subject for study in made]
        for person in (world.ada, world.mei, world.olga, world.ben, world.cleo):
            decisions = decide_many(person.actor, Action.DISCOVER, subjects, at=NOW)
            pairs = zip(made, decisions, strict=True)
            expected = [s for s, d in pairs if d.allowed and matches(s)]
            with mock.patch.object(arms, "FEW", few):
                found = uids_of(person.actor, keys)
                pages = [uids_of(person.actor, keys, limit=1, offset=n) for n in range(len(made))]
            assert set(found) == {study.study_uid for study in expected}, person.user.name
            assert [uid for page in pages for uid in page] == found
            if "PatientName" not in keys:
                assert found == [study.study_uid for study in newest_first(expected)]


def uids_of(actor: Actor, keys: dict[str, str], **slice_: int) -> list[str]:
    """The studies that are found, in their order."""
    found = search_studies(actor, Query(keys, **slice_), at=NOW)
    return [
        re.findall(r'"0020000D":\{"vr":"UI","Value":\["(.*?)"', row[1])[0] for row in found.rows
    ]


def newest_first(studies: list[Study]) -> list[Study]:
    """As lists stand: undated ones last, what came last first within a day."""
    return sorted(studies, key=lambda s: (s.study_date or date.min, s.pk), reverse=True)


def test_what_many_may_see_is_merged_in_one_order(region: Region) -> None:
    """Ben's own studies, those of one custodian who shares many, and one of another's."""
    own, lake = make_patient(region.hilltop, "H-1"), make_patient(region.lakeside, "L-1")
    days = [date(2026, 1, number) for number in range(1, 8)]
    theirs = [region.study(study_date=day) for day in days[:4]]
    made = [*theirs, make_study(own, study_date=days[2]), make_study(lake, study_date=days[6])]
    make_study(lake, study_date=None)
    region.permit()
    with mock.patch.object(arms, "FEW", 2):
        found = uids_of(region.ben.actor, {})
    assert found == [study.study_uid for study in newest_first(made[:5])]


# What is asked, and how its first table must be walked on SQLite and on PostgreSQL.
WALKS: list[tuple[Any, dict[str, str], str]] = [
    (search_studies, {}, "listed_by_day"),
    (search_studies, {"StudyDate": "20260101-20261231"}, "listed_by_day"),
    (search_studies, {"StudyDate": "20260101-", "ModalitiesInStudy": "CT"}, "listed_by_day"),
    (search_studies, {"PatientName": "more*"}, "names_by_key"),
    (search_studies, {"PatientName": "Moreau^Pat"}, "names_by_key"),
    (search_studies, {"PatientID": "RV-1"}, "patients_by_identifier"),
    (search_studies, {"AccessionNumber": "A-1"}, "studies_by_accession"),
    (search_studies, {"StudyInstanceUID": "1.2,1.3"}, "studies_by_uid"),
    (search_series, {"Modality": "CT"}, "listed_by_day"),
    (search_series, {"SeriesInstanceUID": "1.2"}, "series_by_uid"),
    (
        search_series,
        {"RequestAttributesSequence.ScheduledProcedureStepID": "S"},
        "requests_by_step",
    ),
    (search_instances, {"SOPInstanceUID": "1.2"}, "sop_uid"),
]


@pytest.mark.parametrize(("search", "keys", "index"), WALKS)
@pytest.mark.parametrize("who", ["ada", "ben"])
def test_a_search_walks_along_an_index(
    region: Region, search: Any, keys: dict[str, str], index: str, who: str
) -> None:
    """Ada by the custodian's lists, Ben by what he may see: for him none of the lists is walked."""
    region.study()
    region.permit()
    actor = getattr(region, who).actor
    with plans() as found:
        more = {"alone": False} if search is search_instances else {}
        search(actor, Query(keys), at=NOW, **more)
    assert found
    for plan in found:
        assert not re.search(r"^\s*(SCAN (?!picked|j\b)|.*Seq Scan on (?!tenants_))", plan, re.M), (
            plan
        )
    walked = [line for plan in found for line in plan.splitlines() if index in line]
    if index in ("listed_by_day", "names_by_key") and who == "ben":
        assert any("picked" in plan for plan in found)
    elif connection.vendor == "sqlite":  # PostgreSQL chooses any index while tables are as small
        assert walked, found
    ordered = [p for p in found if "listed_by_day" in p.splitlines()[0] and "json_each" not in p]
    if connection.vendor == "sqlite" and search is search_studies:
        assert not any("TEMP B-TREE FOR ORDER BY" in plan for plan in ordered), ordered


def test_the_fence_asks_for_one_consents_grantees(region: Region) -> None:
    """Not for all that name the organization: a thousand consents would be read for each study."""
    region.permit(studies=frozenset({region.study().study_uid}))
    with plans() as found:
        search_studies(region.ben.actor, Query({"PatientID": "RV-1"}), at=NOW)
    fence = next(plan for plan in found if "consent_term" in plan or "a_consent_says" in plan)
    assert not re.search(r"(?<!g )USING INDEX (consent_grantee|access_grant)_organization", fence)


@contextmanager
def plans() -> Iterator[list[str]]:
    """How the database means to answer each query that is asked inside."""
    found: list[str] = []
    ask = finding.rows

    def explained(sql: str, params: Any = ()) -> Any:
        if connection.vendor == "sqlite":
            plan = [line[3] for line in ask(f"EXPLAIN QUERY PLAN {sql}", params)]
        else:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")
                cursor.execute(f"EXPLAIN {sql}", list(params))
                plan = [line for (line,) in cursor.fetchall()]
        found.append("\n".join(plan))
        return ask(sql, params)

    with (
        mock.patch.object(finding, "rows", explained),
        mock.patch.object(arms, "rows", explained),
        mock.patch.object(stored, "rows", explained),
    ):
        yield found


@pytest.mark.parametrize("to", ["hilltop", "ben"])
def test_what_only_a_grant_names_ben_for_is_found(region: Region, to: str) -> None:
    """Pat lets Riverside say who may see; Riverside says Ben, or his clinic."""
    shown, hidden = region.study(), region.study()
    region.permit(organizations=(), named_by_custodian=True)
    terms = {
        "start": 0, "days": 3, "actions": [Action.DISCOVER], "revoked": False,
        "there": None, "review": None, "standing": False,
    }  # fmt: skip
    worlds.add_grant(region, [shown], terms | {"study": 0, "to": to, "purpose": Purpose.TREATMENT})
    for few in (5000, 0):
        with mock.patch.object(arms, "FEW", few):
            assert uids_of(region.ben.actor, {}) == [shown.study_uid]
            assert uids_of(region.ben.actor, {"PatientName": "pat*"}) == [shown.study_uid]
    assert set(uids_of(region.ada.actor, {})) == {shown.study_uid, hidden.study_uid}


def test_a_revoked_consent_is_no_candidate_any_more(region: Region) -> None:
    study = region.study()
    at = timezone.now()
    consent = region.permit(at=at)
    query = Query({})
    assert len(search_studies(region.ben.actor, query, at=at).rows) == 1
    region.revoke(consent, at=at)
    assert search_studies(region.ben.actor, query, at=at).rows == []
    assert uids_of(region.ada.actor, {}) == [study.study_uid]
