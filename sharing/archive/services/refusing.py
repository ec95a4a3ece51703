"""What is not accepted again: the identifiers of rejected instances (IHE IOCM)."""

from collections.abc import Sequence

from sharing.archive.models import Withheld


def refused(organization_id: int, sop_uids: Sequence[str]) -> set[str]:
    """Those of the SOP Instance UIDs that the custodian rejected.

    Ask while the bytes come, to spare their storing, and again inside the transaction.
    """
    found: set[str] = set()
    for start in range(0, len(sop_uids), 500):
        rows = Withheld.objects.filter(
            organization_id=organization_id,
            refused=True,
            returned_at=None,
            sop_uid__in=sop_uids[start : start + 500],
        )
        found.update(rows.values_list("sop_uid", flat=True))
    return found
