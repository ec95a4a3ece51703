"""A queryset that is compiled once answers as the queryset itself would, whatever the keys."""

from itertools import count
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.test.utils import CaptureQueriesContext

from sharing.archive.models import Study
from sharing.consent.models import Grantee
from sharing.identity.models import Patient
from sharing.kernel import scope
from sharing.kernel.prepared import prepared
from tests.cast import Region


def _studies(patients: list[int]) -> QuerySet[Study]:
    others = Study.objects.filter(patient=OuterRef("patient")).exclude(pk=OuterRef("pk"))
    found = Study.objects.with_owners().filter(patient__in=patients)
    return found.annotate(one_of_many=Exists(others)).order_by("-pk")


def _named(consents: list[int]) -> QuerySet[Grantee]:
    whom = Grantee.objects.filter(consent__in=consents).select_related("organization", "user")
    return whom.only("kind", "organization__name", "user__name").order_by("pk")


def _of(uids: list[str], patients: list[int]) -> QuerySet[Study]:
    return Study.objects.filter(study_uid__in=uids, patient__in=patients)


def test_rows_are_the_models_that_the_queryset_gives_with_what_it_joins(region: Region) -> None:
    """Moments with their zone, dates, lists, whom they belong to, and what was annotated."""
    study, other = region.study(), region.study()
    Study.objects.filter(pk=study.pk).update(warnings=["dates"])
    keys = [study.patient_id, other.patient_id]
    asked, plain = prepared(_studies, keys), list(_studies(keys))
    assert [_values(each) for each in asked] == [_values(each) for each in plain]
    assert [each.pk for each in asked] == [other.pk, study.pk]
    with CaptureQueriesContext(connection) as queries:
        names = {(each.organization.name, each.patient.public_id) for each in asked}
    assert names == {(study.organization.name, study.patient.public_id)}
    assert not queries.captured_queries


def _values(study: Any) -> list[Any]:
    own = [getattr(study, field.attname) for field in Study._meta.concrete_fields]
    return [*own, study.one_of_many, study.patient.name, study.organization.code]


def test_what_the_queryset_leaves_out_is_read_when_it_is_asked_for(region: Region) -> None:
    consent = region.permit(organizations=(), practitioners=(region.ben.user,))
    (grantee,) = prepared(_named, [consent.pk])
    assert (grantee.user.name, grantee.organization) == (region.ben.user.name, None)
    assert "excepted" in grantee.get_deferred_fields()
    assert grantee.excepted is False


@pytest.mark.parametrize("many", [0, 1, 2, 3, 4, 5, 9])
def test_it_finds_those_of_its_keys_and_no_others_however_many(region: Region, many: int) -> None:
    made = [region.study() for _ in range(9)]
    keys = [study.pk for study in made[:many]]
    assert {study.pk for study in prepared(_by_key, [*keys, *keys])} == set(keys)


def _by_key(keys: list[int]) -> QuerySet[Study]:
    return Study.objects.filter(pk__in=keys)


def test_each_list_of_keys_goes_to_its_own_place_and_texts_are_keys_too(region: Region) -> None:
    study, other = region.study(), region.study()
    uid, pat = study.study_uid, study.patient_id
    assert [each.pk for each in prepared(_of, [uid], [pat])] == [study.pk]
    assert prepared(_of, ["2.25.404"], [pat]) == []
    stranger = Patient.objects.exclude(pk=pat).values_list("pk", flat=True).first() or 0
    assert prepared(_of, [uid], [stranger]) == []
    both = prepared(_of, [other.study_uid, uid], [other.patient_id, pat])
    assert {each.pk for each in both} == {study.pk, other.pk}


def test_the_database_is_asked_the_same_whether_there_is_a_key_or_none(region: Region) -> None:
    """What is asked tells a refused reader nothing of what is on file (A06)."""
    study = region.study()
    said = [_text_of([]), _text_of([study.pk])]
    assert said[0] == said[1]


def _text_of(keys: list[int]) -> str:
    with CaptureQueriesContext(connection) as queries:
        prepared(_by_key, keys)
    (query,) = queries.captured_queries
    return str(query["sql"]).rsplit("IN", 1)[0]


def test_it_is_put_together_once_for_each_number_of_keys(region: Region) -> None:
    made = count()

    def counted(keys: list[int]) -> QuerySet[Study]:
        next(made)
        return _by_key(keys)

    for keys in ([], [1], [7], [1, 2], [3, 4], [1, 2, 3], [1, 2, 3, 4]):
        prepared(counted, keys)
    assert next(made) == 3


@pytest.mark.usefixtures("committing")
def test_another_thread_asks_on_its_own_connection(region: Region) -> None:
    study, found = region.study(), []
    prepared(_by_key, [study.pk])

    @scope.as_house()  # a thread begins as nobody, who sees no row
    def ask() -> None:
        found.extend(each.pk for each in prepared(_by_key, [study.pk]))
        connection.close()

    thread = Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [study.pk]
