"""What the patient index can refuse."""

from sharing.kernel.errors import Absent


class PatientNotFound(Absent):
    """No such patient at the custodian, or not the actor's to know."""
