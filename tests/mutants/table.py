"""All seeded faults."""

from . import (
    access,
    albums,
    alike,
    doors,
    guarded,
    houses,
    lists,
    log,
    nameless,
    offices,
    partners,
    phones,
    region,
    said,
    uses,
)
from .mutant import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *access.MUTANTS,
    *alike.MUTANTS,
    *said.MUTANTS,
    *log.MUTANTS,
    *doors.MUTANTS,
    *guarded.MUTANTS,
    *houses.MUTANTS,
    *lists.MUTANTS,
    *phones.MUTANTS,
    *partners.MUTANTS,
    *region.MUTANTS,
    *offices.MUTANTS,
    *uses.MUTANTS,
    *albums.MUTANTS,
    *nameless.MUTANTS,
)
