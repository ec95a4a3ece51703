"""What running the region can refuse."""

from sharing.kernel.errors import Absent, DomainError


class RunNotFound(Absent):
    """No such test of a connection, or another organization's."""


class ExportMissing(DomainError):
    """Nothing is deleted before all of it was exported and the checksums were right."""

    code = "export_missing"
    message = "Everything must be exported first, with checksums that are right."


class SamePerson(DomainError):
    """Two persons close an organization, one of them the operator's."""

    code = "same_person"
    message = "A second person must confirm, and one of the two is of the region’s operator."
