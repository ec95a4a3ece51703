"""What the import contracts can't see: keys and names that reach up by a string."""

import ast
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command

from portal import celery_app

ROOT = Path(settings.BASE_DIR)
FLOORS = (
    ("kernel", "dicom"),
    ("blobs",),
    ("outbox",),
    ("audit",),
    ("tenants",),
    ("partners",),
    ("identity",),
    ("consent",),
    ("access",),
    ("archive",),
    ("exchange", "consults"),
    ("notify",),
    ("office",),
    ("web", "api", "oauth", "fhir", "scim", "dicomweb", "dimse", "viewer"),
    ("demo",),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
LONGEST_FILE = 400  # lines; around 300 is meant, see house.md


def test_every_room_of_the_house_has_a_floor() -> None:
    """A new folder must say where it stands."""
    rooms = {path.parent.name for path in (ROOT / "sharing").glob("*/__init__.py")}
    assert rooms <= set(FLOOR)


def test_the_floors_here_are_those_of_the_import_contract() -> None:
    """Two lists of one thing must not drift apart."""
    text = (ROOT / ".importlinter").read_text()
    layers = text.split("exhaustive = True\nlayers =\n", 1)[1].split("\n\n", 1)[0]
    written = [set(re.findall(r"\w+", line)) for line in layers.splitlines()]
    assert list(reversed(written)) == [set(floor) for floor in FLOORS]


def foreign_keys() -> Iterator[tuple[str, str, str]]:
    """(label of the model, field, label of the model it points to), for our own models."""
    for model in apps.get_models(include_auto_created=True):
        if not model.__module__.startswith("sharing."):
            continue
        for field in model._meta.get_fields():
            if (field.many_to_one or field.one_to_one or field.many_to_many) and field.concrete:
                target = field.related_model._meta.app_label
                yield model._meta.app_label, f"{model.__name__}.{field.name}", target


def test_foreign_keys_point_downstairs() -> None:
    """ "archive.Study" as a string passes the import contract; the key would hold up the floor."""
    upwards = [
        f"{name} -> {target}"
        for label, name, target in foreign_keys()
        if target != label and FLOOR.get(target, 99) >= FLOOR[label]
    ]
    assert upwards == []


def promised_tasks() -> Iterator[tuple[str, str]]:
    """(place, task name) of every bell that is rung by name in sharing/."""
    for path in sorted((ROOT / "sharing").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _called(node) in {"later", "promise"}:
                given = [*node.args[:1], *(k.value for k in node.keywords if k.arg == "task")]
                for value in given:
                    if isinstance(value, ast.Constant) and isinstance(value.value, str):
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", value.value


def _called(node: ast.Call) -> str:
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def test_every_promised_task_is_registered() -> None:
    """A bell that nobody hears would be found by the sweep for ever."""
    celery_app.loader.import_default_modules()
    promised = list(promised_tasks())
    assert promised
    assert [f"{place} {name}" for place, name in promised if name not in celery_app.tasks] == []


def test_every_scheduled_task_is_registered() -> None:
    """The beat rings by name too."""
    celery_app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert scheduled
    assert scheduled <= set(celery_app.tasks)


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    """Models and migrations say the same."""
    out = StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=out)
    assert "No changes" in out.getvalue()


def test_no_file_has_grown_beyond_reading() -> None:
    """A room that outgrows a file turns the file into a package of the same name."""
    long = {
        str(path.relative_to(ROOT)): lines
        for folder in ("portal", "sharing", "tests", "bench", "clients")
        for path in (ROOT / folder).rglob("*.py")
        if "migrations" not in path.parts
        and (lines := len(path.read_text().splitlines())) > LONGEST_FILE
    }
    assert long == {}


def test_signals_and_drawers_are_nowhere() -> None:
    """No Django signals, no utils.py, no helpers.py, no generic foreign keys."""
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "sharing").rglob("*.py")
        if path.stem in {"utils", "helpers", "signals"}
        or re.search(r"django\.dispatch|models\.signals|GenericForeignKey", path.read_text())
    ]
    assert found == []
