"""Recording what a patient said, ending it, and handing it to those who decide.

One module per kind of act: `recording`, `ending`, `proxies`, `reading`; `saying` holds the words
that they pass on, `checking` and `logbook` are common to them.
"""

from .ending import end_proxy, expire_consents, lapse_consents, mark_error, revoke_consent
from .proxies import name_proxy, proxies_of
from .reading import (
    consents_of,
    consents_recorded,
    ended_since,
    in_force_at,
    open_evidence,
    own_consent,
)
from .readings import Reading, Seen, reading_of
from .recording import amend_consent, exclude_person, opt_out, reaffirm, record_consent
from .saying import EVERYONE, Said, Told, Whom, said_by

__all__ = [
    "EVERYONE",
    "Reading",
    "Said",
    "Seen",
    "Told",
    "Whom",
    "amend_consent",
    "consents_of",
    "consents_recorded",
    "end_proxy",
    "ended_since",
    "exclude_person",
    "expire_consents",
    "in_force_at",
    "lapse_consents",
    "mark_error",
    "name_proxy",
    "open_evidence",
    "opt_out",
    "own_consent",
    "proxies_of",
    "reading_of",
    "reaffirm",
    "record_consent",
    "revoke_consent",
    "said_by",
]
