"""Letting a share or a consent go on: until when, and how the patient agreed again."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from sharing.access.services import TOLD_HOW
from sharing.consent.rules import EVIDENCE_MAX_BYTES, Performer, Verification, media_type_of
from sharing.consent.services import Said
from sharing.web import words

from .consent import PERFORMERS, PERIODS
from .days import DayField, days_on, end_of
from .joining import one_line

USUAL_DAYS = 90


class RenewForm(forms.Form):
    """Until when a share goes on; `latest` is when the consent that carries it ends."""

    until = DayField(label="Until")

    def __init__(self, *args: Any, at: datetime, latest: datetime | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at, self.latest = at, latest
        usual = days_on(at, USUAL_DAYS)
        last = timezone.localtime(latest).date() if latest else usual
        self.fields["until"].initial = min(usual, last)

    def clean_until(self) -> datetime:
        """The end of that day; on the consent's own last day the consent's end."""
        end = end_of(self.cleaned_data["until"])
        if end <= self.at:
            raise forms.ValidationError("The share must end in the future.")
        if self.latest is None or end <= self.latest:
            return end
        if timezone.localtime(end).date() == timezone.localtime(self.latest).date():
            return self.latest
        raise forms.ValidationError(f"The consent ends {words.day(self.latest)}.")


class AgainForm(forms.Form):
    """The patient says the same again: until when, who agreed, and how."""

    period = forms.ChoiceField(
        label="Until", choices=PERIODS, widget=forms.RadioSelect, initial="90"
    )
    until = DayField(label="Last day", required=False)
    verification = forms.ChoiceField(
        label="How it was agreed",
        choices=[(Verification.PAPER.value, "Signed paper"), (Verification.VERBAL.value, "Spoken")],
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

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at = at

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

    def clean(self) -> dict[str, Any]:
        """What one field asks of another."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("period") == "day" and "until" not in self.errors:
            self._check_last_day(data.get("until"))
        spoken = data.get("verification") == Verification.VERBAL
        self._need("witness", spoken, "A spoken consent needs a witness.")
        self._need("evidence", not spoken, "Attach the signed form.")
        other = data.get("performer") != Performer.SELF
        self._need("performer_name", other, "Write who agreed for the patient.")
        return data

    def _check_last_day(self, until: Any) -> None:
        if until is None:
            self.add_error("until", "Write the last day.")
        elif end_of(until) <= self.at:
            self.add_error("until", "The consent must end in the future.")

    def _need(self, name: str, asked: bool, words: str) -> None:
        if asked and name not in self.errors and not self.cleaned_data.get(name):
            self.add_error(name, words)

    def said_again(self, before: Said, used: int) -> Said:
        """All that was said before, from now on; so many uses as were permitted come on top."""
        data = self.cleaned_data
        spoken = data["verification"] == Verification.VERBAL
        more = before.maximum_uses
        return replace(
            before,
            starts_at=self.at,
            ends_at=self._end(),
            maximum_uses=None if more is None else used + more,
            performer=Performer(data["performer"]),
            performer_name=data["performer_name"],
            proxy=None,
            verification=Verification.VERBAL if spoken else Verification.PAPER,
            verified_by="",
            verified_at=None,
            witness=data["witness"] if spoken else "",
            evidence=None if spoken else data["evidence"],
        )

    def _end(self) -> datetime | None:
        period = self.cleaned_data["period"]
        if period == "open":
            return None
        day = self.cleaned_data["until"] if period == "day" else days_on(self.at, int(period))
        return end_of(day)


class ToldForm(forms.Form):
    """How a patient was told of a use."""

    how = forms.ChoiceField(label="How", choices=list(TOLD_HOW.items()), initial="phone")
