"""`manage.py agreement record --as nora@exchange.example --set provider=riverside ...`

Agreements of two organizations, kept by the operator. The signed document is hashed, not kept.
"""

from datetime import date, datetime, time, timedelta

from django.utils import timezone

from sharing.kernel.purposes import Purpose
from sharing.office.management.steps import Said, Steps, read
from sharing.tenants import services

TERMS = (
    "provider", "recipient", "purposes", "modalities", "from", "until", "signed_for_provider",
    "signed_for_recipient", "document",
)  # fmt: skip


def _list(said: Said) -> str:
    return "\n".join(
        f"{row.public_id}\t{row.provider.code}\t{row.recipient.code}\t{row.purposes.strip('|')}"
        f"\t{row.starts_at.isoformat()}\t{row.ends_at.isoformat()}"
        for row in services.agreements(said.by)
    )


def _record(said: Said) -> str:
    terms = services.Terms(
        provider=services.find_organization(said["provider"]),
        recipient=services.find_organization(said["recipient"]),
        purposes=frozenset(read(Purpose, word) for word in said.words("purposes") or ("TREAT",)),
        modalities=frozenset(said.words("modalities")),
        starts_at=_day(said, "from"),
        ends_at=_day(said, "until") + timedelta(days=1),
        signed_for_provider=said["signed_for_provider"],
        signed_for_recipient=said["signed_for_recipient"],
    )
    paper = said.file("document")
    with paper.open("rb") as document:
        made = services.record_agreement(
            terms=terms, document=document, name=paper.name, by=said.by, at=said.at
        )
    return str(made.public_id)


def _day(said: Said, name: str) -> datetime:
    """The day's first moment; `until` includes its day."""
    return timezone.make_aware(datetime.combine(said.one_of(date.fromisoformat, name), time()))


def _end(said: Said) -> str:
    services.end_agreement(public_id=said["id"], why=said["why"], by=said.by, at=said.at)
    return "ended"


class Command(Steps):
    """Lists, records, ends."""

    help = "Agreements of two organizations."
    region = True
    steps = {
        "list": (_list, ""),
        "record": (
            _record,
            " ".join(TERMS),
        ),
        "end": (_end, "id why"),
    }
