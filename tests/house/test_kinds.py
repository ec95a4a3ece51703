"""The two halves of `make test`: what each leaves out is there, and is what the other one asks."""

import pytest

from tests.kinds import POSTGRESQL, ROOT, SQLITE, elsewhere


@pytest.mark.parametrize("name", [*SQLITE, *POSTGRESQL])
def test_what_is_named_is_there_and_named_once(name: str) -> None:
    assert (ROOT / name).exists()
    assert [*SQLITE, *POSTGRESQL].count(name) == 1


@pytest.mark.parametrize(
    ("name", "on_sqlite", "on_postgresql"),
    [
        ("access/test_decide.py", True, True),
        ("dicom/test_scan.py", True, False),
        ("consent/test_versions.py", False, True),
        ("faces/api/test_shares.py", False, True),
        ("faces/api/test_openapi.py", True, False),
    ],
)
def test_a_file_is_asked_where_it_can_find_something(
    name: str, on_sqlite: bool, on_postgresql: bool
) -> None:
    path = ROOT / name
    assert path.exists()
    assert elsewhere(path, on_postgresql=False) is not on_sqlite
    assert elsewhere(path, on_postgresql=True) is not on_postgresql


def test_no_file_is_left_out_by_both() -> None:
    files = list(ROOT.rglob("test_*.py"))
    assert len(files) > 200
    for path in files:
        both = elsewhere(path, on_postgresql=False) and elsewhere(path, on_postgresql=True)
        assert not both, path
