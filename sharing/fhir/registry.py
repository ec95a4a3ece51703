"""All types of this face, in the order in which the CapabilityStatement names them."""

from . import directory, patients, studies

TYPES = (
    *directory.TYPES,
    *patients.TYPES,
    *studies.TYPES,
)
