"""The environment, read into settings."""

import stat
from pathlib import Path

import pytest

from portal import env


def test_without_a_database_url_the_portal_keeps_a_durable_sqlite_file(tmp_path: Path) -> None:
    entry = env.database("", tmp_path)
    assert entry["NAME"] == tmp_path / "portal.sqlite3"
    assert "synchronous=FULL" in entry["OPTIONS"]["init_command"]
    assert "wal_autocheckpoint=8000" in entry["OPTIONS"]["init_command"]
    assert entry["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_a_postgres_url_gives_a_pooled_connection(tmp_path: Path) -> None:
    entry = env.database("postgres://me:p%40ss@db:5433/portal", tmp_path)
    assert (entry["USER"], entry["PASSWORD"], entry["HOST"]) == ("me", "p@ss", "db")
    assert (entry["PORT"], entry["NAME"]) == ("5433", "portal")
    assert entry["OPTIONS"]["pool"]


def test_a_postgres_socket_is_named_in_the_query(tmp_path: Path) -> None:
    assert env.database("postgres://me@/portal?host=/run/pg", tmp_path)["HOST"] == "/run/pg"


@pytest.mark.parametrize("url", ["mysql://a/b", "sqlite://no-slash", "portal"])
def test_a_database_url_of_another_kind_is_refused_without_repeating_it(
    url: str, tmp_path: Path
) -> None:
    with pytest.raises(env.EnvironmentMistake) as caught:
        env.database(url, tmp_path)
    assert url not in str(caught.value)


def test_mail_goes_to_a_folder_until_a_server_is_named(tmp_path: Path) -> None:
    assert env.email("", tmp_path)["EMAIL_FILE_PATH"] == str(tmp_path / "mail")
    smtp = env.email("smtp://me:s%3Acret@mail:2525?tls=1", tmp_path)
    assert (smtp["EMAIL_HOST"], smtp["EMAIL_PORT"]) == ("mail", 2525)
    assert smtp["EMAIL_HOST_PASSWORD"] == "s:cret"
    assert smtp["EMAIL_USE_TLS"]


def test_a_folder_for_images_holds_the_scratch_files_too(tmp_path: Path) -> None:
    """A rename into place works on one file system only."""
    location, scratch = env.blobs(str(tmp_path / "images"), tmp_path)
    assert Path(location).parent == scratch.parent


def test_a_socket_broker_is_spelt_as_kombu_reads_it() -> None:
    assert env.broker("unix://:secret@/run/valkey.sock") == (
        "redis+socket://:secret@/run/valkey.sock"
    )
    assert env.broker("rediss://:secret@host:6379/0") == "rediss://:secret@host:6379/0"


def test_the_generated_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first = env.generated_key(tmp_path)
    assert first == env.generated_key(tmp_path)
    assert len(first) >= 50
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_an_undeclared_variable_cannot_be_read() -> None:
    with pytest.raises(KeyError):
        env.Environment({"SURPRISE": "1"}).text("SURPRISE_2")


def test_a_flag_is_one_or_zero() -> None:
    assert env.Environment({"DEBUG": "yes"}).flag("DEBUG")
    assert not env.Environment({}).flag("DEBUG")
    with pytest.raises(env.EnvironmentMistake):
        env.Environment({"DEBUG": "perhaps"}).flag("DEBUG")
