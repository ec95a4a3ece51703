"""What is written about the portal is true: settings table, licences."""

from pathlib import Path

from django.conf import settings

from portal import env
from tests.house import licences, roles

ROOT = Path(settings.BASE_DIR)


def test_the_readme_has_the_settings_table_of_env_py() -> None:
    """One table, printed by `python -m portal.env`."""
    assert env.table() in (ROOT / "README.md").read_text()


def test_no_setting_is_read_that_the_table_does_not_name() -> None:
    """The environment is read in portal/env.py only."""
    found = [
        str(path.relative_to(ROOT))
        for folder in ("portal", "sharing")
        for path in (ROOT / folder).rglob("*.py")
        if "os.environ" in path.read_text() or "getenv" in path.read_text()
    ]
    allowed = {
        "portal/env.py",
        "portal/celery.py",  # names the settings module
        "portal/wsgi.py",  # the same
        "sharing/dicom/names.py",  # tells pypinyin to leave its 40 MB of everyday words unread
        "portal/management/commands/serve.py",  # hands the environment to its children
        "sharing/demo/management/commands/demo.py",
    }
    assert set(found) <= allowed


def test_nothing_that_runs_is_under_the_gpl() -> None:
    """Python packages and what Vite bundles."""
    rows = [*licences.packages(), *licences.front_end()]
    assert len(rows) > 60
    assert [row for row in rows if licences.NEVER.search(row.licence)] == []
    assert [row for row in rows if row.licence == "unknown"] == []


def test_the_licence_table_is_current() -> None:
    """Made anew by `python -m tests.house.licences > docs/licences.md`."""
    page = (ROOT / "docs" / "licences.md").read_text()
    names = {row.name for row in [*licences.packages(), *licences.front_end()]}
    written = {line.split(" | ")[0].removeprefix("| ") for line in page.splitlines()}
    assert names <= written


def test_the_published_table_of_roles_is_what_the_code_allows() -> None:
    """Made anew by `python -m tests.house.roles > docs/roles.md`."""
    assert (ROOT / "docs" / "roles.md").read_text() == roles.table()
