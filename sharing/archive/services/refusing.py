"""What is not accepted again: the identifiers of rejected instances (IHE IOCM)."""

from collections.abc import Sequence

from sharing.archive.sql import chunks, marks, rows


def refused(organization_id: int, sop_uids: Sequence[str]) -> set[str]:
    """Those of the SOP Instance UIDs that the custodian rejected.

    Ask while the bytes come, to spare their storing, and again inside the transaction.
    """
    found: set[str] = set()
    for some in chunks(sop_uids):
        query = _REFUSED.format(marks(some))
        found |= {uid for (uid,) in rows(query, [organization_id, *some])}
    return found


_REFUSED = """SELECT sop_uid FROM archive_withheld
WHERE refused AND returned_at IS NULL AND organization_id = %s AND sop_uid IN ({})"""
