"""`manage.py labels make riverside --as olga@riverside.example --set label=PSY words=...`

Rules that label studies as sensitive: an organization's, or the region's by its operator.
"""

from sharing.archive.services import label_rules
from sharing.archive.services.label_rules import Wanted
from sharing.dicom.regions import BodyRegion
from sharing.kernel.sensitivity import Label
from sharing.office.management.steps import Said, Steps, read


def _list(said: Said) -> str:
    return "\n".join(
        f"{row.public_id}\t{row.label}\t{row.organization.code if row.organization else 'region'}"
        f"\t{'ended' if row.ended_at else 'in force'}\t{row.reason}"
        for row in label_rules.label_rules(said.by)
    )


def _make(said: Said) -> str:
    wanted = Wanted(
        label=said.one_of(Label, "label"),
        reason=said["reason"],
        words=said.words("words"),
        modalities=said.words("modalities"),
        regions=tuple(read(BodyRegion, word) for word in said.words("regions")),
        departments=said.words("departments"),
        under_age=read(int, said["under_age"]) if said.get("under_age") else None,
    )
    return str(label_rules.make_rule(wanted=wanted, by=said.by, at=said.at).public_id)


def _end(said: Said) -> str:
    label_rules.end_rule(public_id=said["rule"], by=said.by, at=said.at)
    return "ended"


class Command(Steps):
    """Lists, makes, ends."""

    help = "Rules of sensitivity labels."
    steps = {
        "list": (_list, ""),
        "make": (_make, "label reason words modalities regions departments under_age"),
        "end": (_end, "rule"),
    }
