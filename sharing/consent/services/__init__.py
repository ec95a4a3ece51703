"""Recording what a patient said, ending it, and handing it to those who decide.

One module per kind of act: `recording`, `ending`, `reading`; `logbook` is common to them.
"""

from .ending import expire_consents, revoke_consent
from .reading import consents_of, consents_recorded, open_evidence, own_consent
from .recording import Said, record_consent

__all__ = [
    "Said",
    "consents_of",
    "consents_recorded",
    "expire_consents",
    "open_evidence",
    "own_consent",
    "record_consent",
    "revoke_consent",
]
