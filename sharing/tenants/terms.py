"""What an organization signs before it takes part: the region's terms, by version and hash.

A published wording never changes: a new one is a new version, and the line of history that says
who signed names the version and the hash of what was read. Pure.
"""

import hashlib

VERSION = "2026-1"
_WORDS = """\
The patient decides
You show a study of another organization to nobody whom the patient, the law or the region's
published rules do not permit. You record what patients say as they said it, with evidence,
and a withdrawal on the day it is made.

You answer for your people
You invite only people who work for you, give each the roles that the work needs, and end a
role on the day it ends. Nobody shares an account. Machines call with tokens of their own,
which you keep secret.

You answer for what you hold
You stay the custodian of the studies that you bring: their identifiers, their quality, how
long they are kept and who asks about them. You name a privacy officer who answers within
three working days.

Everything is recorded
Each opening of a study is written down with person, purpose and ground. You review each
emergency access in time and tell the region and the patient when something went wrong,
within 72 hours.

The viewer is for review
The portal's viewer is not certified for primary diagnosis. You diagnose on systems that
are.

You may leave
When you leave you get everything that you brought, with checksums, before it is deleted.
The region may suspend you where patients would be harmed otherwise, and says why.
"""
TERMS = tuple(
    (heading, " ".join(lines)) for heading, *lines in (p.splitlines() for p in _WORDS.split("\n\n"))
)
"""Each term: its heading and its words."""


def as_text() -> str:
    """The wording as it is hashed."""
    parts = (f"{number}. {heading}\n{text}" for number, (heading, text) in enumerate(TERMS, 1))
    return f"Terms of the region, {VERSION}\n\n" + "\n\n".join(parts) + "\n"


SHA256 = hashlib.sha256(as_text().encode()).hexdigest()
