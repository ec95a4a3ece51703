"""All seeded faults."""

from . import access, doors, log, phones, said
from .mutant import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *access.MUTANTS,
    *said.MUTANTS,
    *log.MUTANTS,
    *doors.MUTANTS,
    *phones.MUTANTS,
)
