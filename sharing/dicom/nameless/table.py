"""What PS3.15 2026c table E.1-1 has done to an attribute, in its column "Basic Profile".

The table itself comes with dicom-anonymizer (BSD-3-Clause); of that package nothing else is used.
"""

from enum import StrEnum

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as edition


class Act(StrEnum):
    """What is done. Where the profile leaves a choice, what keeps the object whole is taken."""

    DUMMY = "D"
    EMPTY = "Z"
    REMOVE = "X"
    ALIAS = "U"


_ROWS = (
    (edition.X_TAGS, Act.REMOVE),
    (edition.Z_TAGS, Act.EMPTY),
    (edition.X_Z_TAGS, Act.EMPTY),
    (edition.D_TAGS, Act.DUMMY),
    (edition.Z_D_TAGS, Act.DUMMY),
    (edition.X_D_TAGS, Act.DUMMY),
    (edition.X_Z_D_TAGS, Act.DUMMY),
    (edition.U_TAGS, Act.ALIAS),
    (edition.X_Z_U_STAR_TAGS, Act.ALIAS),
)
ACTS: dict[int, Act] = {
    row[0] << 16 | row[1]: act for rows, act in _ROWS for row in rows if len(row) == 2
} | {0x00081110: Act.REMOVE}
"""By tag; Referenced Study Sequence may not be empty where it is. What the table says of whole
groups (curves, overlays) needs no row: they all go.
"""
