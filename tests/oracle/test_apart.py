"""The model owes the portal nothing: neither its code nor its framework."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODEL = ("facts", "asked", "model")
STANDARD = {"collections", "dataclasses", "datetime"}


def imported(path: Path) -> Iterator[str]:
    """What a file imports, wherever in it; a relative name as `.name`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{'.' * node.level}{node.module or ''}"


@pytest.mark.parametrize("name", MODEL)
def test_the_model_imports_itself_and_little_of_python(name: str) -> None:
    found = set(imported(HERE / f"{name}.py"))
    own = {f".{other}" for other in MODEL}
    assert {each.split(".")[0] for each in found - own} <= STANDARD


@pytest.mark.parametrize("name", MODEL)
def test_the_model_loads_nothing_by_a_name_in_a_string(name: str) -> None:
    assert "import_module" not in (text := (HERE / f"{name}.py").read_text())
    assert "__import__" not in text
