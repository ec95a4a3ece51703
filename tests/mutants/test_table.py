"""The table of seeded faults is true: each text stands where it says, each test is there."""

import ast
from pathlib import Path

from django.conf import settings

from tests.mutants.mutant import Mutant
from tests.mutants.table import MUTANTS

ROOT = Path(settings.BASE_DIR)


def test_each_fault_fits_its_file_once_and_leaves_python() -> None:
    """Whoever changes a line that a fault is put into says in the table what stands there now."""
    wrong = [why for mutant in MUTANTS if (why := mistake(mutant))]
    assert not wrong, "\n".join(wrong)


def test_every_test_that_a_fault_names_is_there() -> None:
    named = {test for mutant in MUTANTS for test in mutant.tests}
    absent = [test for test in sorted(named) if not is_there(test)]
    assert absent == []


def test_there_are_enough_and_no_two_of_a_name() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 30
    assert all(mutant.tests for mutant in MUTANTS)


def mistake(mutant: Mutant) -> str:
    """Why the fault can't be put in, or blank."""
    try:
        faulty = ast.parse(mutant.put_into(ROOT))
    except (ValueError, SyntaxError) as error:
        return str(error)
    sound = ast.parse((ROOT / mutant.file).read_text(encoding="utf-8"))
    return f"{mutant.name}: changes nothing" if ast.dump(faulty) == ast.dump(sound) else ""


def is_there(test: str) -> bool:
    """Whether the file holds a test of that name."""
    file, *_, name = test.split("::")
    path = ROOT / file
    return path.is_file() and f"def {name.partition('[')[0]}(" in path.read_text()
