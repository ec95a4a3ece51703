"""Rows by the model's own columns are what the ORM gives, on both databases."""

from datetime import date

from sharing.archive.models import Study
from sharing.identity.models import Patient
from sharing.kernel.bulk import read
from tests.cast import Region


def test_rows_hold_the_same_values_as_objects(region: Region) -> None:
    """Moments with their zone, dates, lists, truth: as the fields say, not as the driver does."""
    study = region.study()
    Study.objects.filter(pk=study.pk).update(warnings=["dates"], study_date=date(2026, 2, 3))
    for model in (Study, Patient):
        names = [field.attname for field in model._meta.concrete_fields]
        found = read(model, names, "id > %s ORDER BY id", [0])
        assert found
        assert found == [tuple(row) for row in model.objects.order_by("pk").values_list(*names)]


def test_locked_rows_are_the_same_rows(region: Region) -> None:
    study = region.study()
    assert read(Study, ("id",), "id = %s", [study.pk], lock=True) == [(study.pk,)]
