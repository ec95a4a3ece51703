"""What a patient asks of who makes use of a permit, in sentences. Pure."""

from collections.abc import Iterable

from sharing.kernel.purposes import Obligation

_READER = {  # as who looks reads it
    Obligation.WATERMARK: "Images carry your name, your organization and the day",
    Obligation.NO_DOWNLOAD: "To view only: there is no download",
    Obligation.DEIDENTIFY: "Only without what names the patient",
    Obligation.NOTIFY_PATIENT: "The patient is told of each opening",
}
_PATIENT = {  # as it stands in a consent
    Obligation.WATERMARK: "Images carry the reader’s name",
    Obligation.NO_DOWNLOAD: "No copy leaves",
    Obligation.DEIDENTIFY: "Only without what names the patient",
    Obligation.NOTIFY_PATIENT: "The patient is told of each opening",
}
_USES = f"{Obligation.MAXIMUM_USES}:"


def asked_of_reader(obligations: Iterable[str]) -> list[str]:
    """The obligations of a decision, for the one who looks."""
    held = set(obligations)
    left = [int(each.removeprefix(_USES)) for each in held if each.startswith(_USES)]
    said = [_READER[each] for each in _READER if each in held]
    return [*said, _left(min(left))] if left else said


def asked_of_all(obligations: Iterable[str], uses: int | None, used: int = 0) -> list[str]:
    """The obligations of a consent, for who records or reads it."""
    held = set(obligations)
    said = [_PATIENT[each] for each in _PATIENT if each in held]
    if uses is not None:
        count = "One use" if uses == 1 else f"{uses} uses"
        said.append(f"{count} at most" + (f", {used} used" if used else ""))
    return said


def _left(uses: int) -> str:
    if uses <= 0:
        return "This was the last use: it ends 15 minutes after you opened it"
    count = "One more use is" if uses == 1 else f"{uses} more uses are"
    return f"{count} left: an opening of 15 minutes, or a download, is one"
