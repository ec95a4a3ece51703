"""How it was agreed, who agreed, until when: the part that a consent and its repetition share."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from sharing.consent.rules import EVIDENCE_MAX_BYTES, Performer, Verification, media_type_of

from .days import DayField, days_on, end_of
from .joining import one_line

PERIODS = (
    ("30", "30 days"),
    ("90", "90 days"),
    ("365", "1 year"),
    ("day", "A day"),
    ("open", "No end"),
)
PERFORMERS = (
    (Performer.SELF, "The patient"),
    (Performer.PARENT, "A parent"),
    (Performer.GUARDIAN, "A guardian"),
    (Performer.REPRESENTATIVE, "A representative"),
)
PAPER_OR_SPOKEN = (
    (Verification.PAPER.value, "Signed paper"),
    (Verification.VERBAL.value, "Spoken"),
)


class AgreedForm(forms.Form):
    """The fields of it; whoever inherits says when `check_agreement` is asked."""

    at: datetime
    period = forms.ChoiceField(
        label="Until", choices=PERIODS, widget=forms.RadioSelect, initial="90"
    )
    until = DayField(label="Last day", required=False)
    verification = forms.ChoiceField(
        label="How it was agreed",
        choices=PAPER_OR_SPOKEN,
        widget=forms.RadioSelect,
        initial=Verification.PAPER.value,
    )
    evidence = forms.FileField(
        label="Signed form",
        required=False,
        help_text="A scan or a photo: PDF, JPEG or PNG, at most 20 MB.",
        widget=forms.FileInput(attrs={"accept": "application/pdf,image/jpeg,image/png"}),
    )
    witness = forms.CharField(
        label="Witness", max_length=120, required=False, validators=[one_line]
    )
    performer = forms.ChoiceField(label="Who agreed", choices=PERFORMERS, initial=Performer.SELF)
    performer_name = forms.CharField(
        label="Name of that person", max_length=120, required=False, validators=[one_line]
    )

    def clean_evidence(self) -> UploadedFile | None:
        """A PDF or a picture by its first bytes, whatever its name says."""
        document: UploadedFile | None = self.cleaned_data.get("evidence")
        if document is None:
            return None
        head = document.read(16)
        document.seek(0)
        if media_type_of(head) is None or (document.size or 0) > EVIDENCE_MAX_BYTES:
            raise forms.ValidationError("Attach a PDF or a picture (JPEG, PNG), at most 20 MB.")
        return document

    def check_last_day(self) -> None:
        """Where a day is the end, it is there, and it lies ahead."""
        if self.cleaned_data.get("period") != "day" or "until" in self.errors:
            return
        until = self.cleaned_data.get("until")
        if until is None:
            self.add_error("until", "Write the last day.")
        elif end_of(until) <= self.at:
            self.add_error("until", "The consent must end in the future.")

    def check_agreement(self) -> None:
        """What each way of agreeing asks for."""
        self._need("witness", self.spoken, "A spoken consent needs a witness.")
        self._need("evidence", self.on_paper, "Attach the signed form.")
        other = self.cleaned_data.get("performer") != Performer.SELF
        self._need("performer_name", other, "Write who agreed for the patient.")

    def _need(self, name: str, asked: bool, words: str) -> None:
        if asked and name not in self.errors and not self.cleaned_data.get(name):
            self.add_error(name, words)

    @property
    def spoken(self) -> bool:
        """Whether it was said before a witness."""
        return self.agreed_by(Verification.VERBAL)

    @property
    def on_paper(self) -> bool:
        """Whether a paper was signed."""
        return self.agreed_by(Verification.PAPER)

    def agreed_by(self, verification: Verification) -> bool:
        """Whether it was agreed in this way."""
        return bool(self.cleaned_data.get("verification") == verification)

    def agreed(self) -> dict[str, Any]:
        """How and by whom, as the consent desk takes it; a draft may leave it out."""
        data = self.cleaned_data
        return {
            "performer": Performer(data.get("performer") or Performer.SELF),
            "performer_name": data.get("performer_name", ""),
            "verification": Verification(data.get("verification") or Verification.PAPER),
            "witness": data.get("witness", "") if self.spoken else "",
            "evidence": data.get("evidence") if self.on_paper else None,
        }

    def end(self) -> datetime | None:
        """The last second of the chosen day; None without an end."""
        period = self.cleaned_data["period"]
        if period == "open":
            return None
        day = self.cleaned_data["until"] if period == "day" else days_on(self.at, int(period))
        return end_of(day)
