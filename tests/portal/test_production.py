"""Production refuses to start when it would be unsafe; embedded mode starts without a word."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from portal.checks import production_is_safe

ROOT = Path(__file__).resolve().parent.parent.parent
KEY = "k7Zp-" * 4 + "Qw3rTy9uIoPaSdFgHjKlZxCvBnM1234567890"
POSTGRES = {"default": {"ENGINE": "django.db.backends.postgresql"}}
SAFE = {
    "PRODUCTION": True,
    "SECRET_KEY": KEY,
    "DEBUG": False,
    "PUBLIC_HTTPS": True,
    "REDIS_URL": "rediss://:pw@broker:6379/0",
    "ALLOWED_HOSTS": ["images.example.org"],
}


def mistakes(**values: Any) -> set[str | None]:
    """The ids of what the check finds with these settings."""
    databases = values.pop("DATABASES", POSTGRES)
    with override_settings(**{**SAFE, **values}), pytest.MonkeyPatch.context() as patch:
        patch.setattr("portal.checks.databases", lambda: databases)
        return {error.id for error in production_is_safe()}


def test_safe_values_start() -> None:
    assert mistakes() == set()


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("SECRET_KEY", "missing", "portal.E001"),
        ("SECRET_KEY", "a" * 60, "portal.E001"),
        ("SECRET_KEY", "django-insecure-" + KEY, "portal.E001"),
        ("DEBUG", True, "portal.E002"),
        ("PUBLIC_HTTPS", False, "portal.E003"),
        ("REDIS_URL", "", "portal.E004"),
        ("REDIS_URL", "redis://broker:6379/0", "portal.E005"),
        ("DATABASES", {"default": {"ENGINE": "django.db.backends.sqlite3"}}, "portal.E006"),
        ("ALLOWED_HOSTS", ["*"], "portal.E007"),
        ("AUDIT_KEY", "short", "portal.E008"),
    ],
)
def test_an_unsafe_value_is_a_mistake(name: str, value: Any, found: str) -> None:
    assert mistakes(**{name: value}) == {found}


def test_embedded_mode_has_nothing_to_refuse() -> None:
    assert mistakes(PRODUCTION=False, DEBUG=True, SECRET_KEY="x") == set()


@pytest.mark.parametrize("command", [("manage.py", "check"), ("-c", "import portal.wsgi")])
def test_commands_and_servers_refuse_to_start(command: tuple[str, ...], tmp_path: Path) -> None:
    """With nothing but the mode set, and without repeating what was set."""
    environ = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path),
        "PORTAL_MODE": "production",
        "SECRET_KEY": "tooshort",
    }
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environ, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "SECRET_KEY must be set" in done.stderr
    assert "PUBLIC_URL must start with https" in done.stderr
    assert "tooshort" not in done.stderr
