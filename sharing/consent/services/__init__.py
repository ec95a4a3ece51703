"""Recording what a patient said, ending it, and handing it to those who decide.

One module per kind of act: `recording`, `ending`, `proxies`, `reading`; `saying` holds the words
that they pass on, `checking` and `logbook` are common to them.
"""

from .deciding import (
    reading_on,
    refuse_on_phone,
    sign_on_phone,
    statement_on,
    withdraw_on_phone,
)
from .documents import is_signed, paper_of
from .ending import end_proxy, expire_consents, lapse_consents, mark_error, revoke_consent
from .issuing import (
    PhoneCode,
    cancel_phone,
    code_of,
    issue_phone,
    issue_second,
    issue_withdrawal,
    issued_phone,
    open_phone,
)
from .phones import phone_of, refused_on_phone
from .proxies import name_proxy, proxies_of
from .reading import (
    consents_ending,
    consents_of,
    consents_recorded,
    consents_standing,
    ended_since,
    in_force_at,
    open_evidence,
    open_statement,
    own_consent,
    versions_of,
)
from .readings import Reading, Seen, reading_of
from .recording import amend_consent, exclude_person, opt_out, reaffirm, record_consent
from .saying import EVERYONE, Said, Told, Whom, said_by

__all__ = [
    "EVERYONE",
    "PhoneCode",
    "Reading",
    "Said",
    "Seen",
    "Told",
    "Whom",
    "amend_consent",
    "cancel_phone",
    "code_of",
    "consents_ending",
    "consents_of",
    "consents_recorded",
    "consents_standing",
    "end_proxy",
    "ended_since",
    "exclude_person",
    "expire_consents",
    "in_force_at",
    "is_signed",
    "issue_phone",
    "issue_second",
    "issue_withdrawal",
    "issued_phone",
    "lapse_consents",
    "mark_error",
    "name_proxy",
    "open_evidence",
    "open_phone",
    "open_statement",
    "opt_out",
    "own_consent",
    "paper_of",
    "phone_of",
    "proxies_of",
    "reading_of",
    "reading_on",
    "reaffirm",
    "record_consent",
    "refuse_on_phone",
    "refused_on_phone",
    "revoke_consent",
    "said_by",
    "sign_on_phone",
    "statement_on",
    "versions_of",
    "withdraw_on_phone",
]
