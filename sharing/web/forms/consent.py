"""What the patient said, as the clerk fills it in; and ending it."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet

from sharing.consent.rules import (
    EVIDENCE_MAX_BYTES,
    Decision,
    Performer,
    Verification,
    media_type_of,
)
from sharing.consent.services import Said
from sharing.kernel.purposes import Action, Purpose
from sharing.web.wording import LADDER, modality_word

from .days import DayField, days_on, end_of
from .joining import one_line

PERIODS = (
    ("30", "30 days"),
    ("90", "90 days"),
    ("365", "1 year"),
    ("day", "A day"),
    ("open", "No end"),
)
PURPOSES = ((Purpose.TREATMENT, "Treatment"), (Purpose.OPERATIONS, "Operations"))
PERFORMERS = (
    (Performer.SELF, "The patient"),
    (Performer.PARENT, "A parent"),
    (Performer.GUARDIAN, "A guardian"),
    (Performer.REPRESENTATIVE, "A representative"),
)
RUNGS = tuple((action.value, word) for action, word, *_ in LADDER)
DENIED = frozenset(purpose for purpose in Purpose if purpose != Purpose.EMERGENCY)


class ConsentForm(forms.Form):
    """One consent. `draft=True` is for the preview: how it was agreed may still be missing."""

    decision = forms.ChoiceField(
        label="Decision",
        choices=[(Decision.PERMIT.value, "Permit"), (Decision.DENY.value, "Deny")],
        widget=forms.RadioSelect,
        initial=Decision.PERMIT.value,
    )
    modalities = forms.MultipleChoiceField(
        label="Only these kinds", required=False, widget=forms.CheckboxSelectMultiple
    )
    organizations: "forms.ModelMultipleChoiceField[Any]" = forms.ModelMultipleChoiceField(
        label="To whom",
        queryset=None,
        to_field_name="code",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    named = forms.BooleanField(required=False)
    may = forms.ChoiceField(
        label="May do",
        choices=RUNGS,
        widget=forms.RadioSelect,
        initial=Action.IMAGES.value,
        required=False,
    )
    purpose = forms.ChoiceField(label="Purpose", choices=PURPOSES, required=False)
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

    def __init__(
        self,
        *args: Any,
        organizations: QuerySet[Any],
        modalities: list[str],
        at: datetime,
        draft: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.at, self.draft = at, draft
        self.fields["organizations"].queryset = organizations  # type: ignore[attr-defined]
        self.fields["modalities"].choices = [  # type: ignore[attr-defined]
            (code, modality_word(code)) for code in modalities
        ]

    @property
    def denies(self) -> bool:
        """Whether the decision chosen so far is to deny."""
        return bool(self["decision"].value() == Decision.DENY)

    def clean(self) -> dict[str, Any]:
        """What one field asks of another."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not data.get("organizations") and not data.get("named"):
            self.add_error("organizations", "Choose to whom the consent speaks.")
        if data.get("period") == "day":
            self._check_last_day(data)
        if not self.draft:
            self._check_agreement(data)
        return data

    def _check_last_day(self, data: dict[str, Any]) -> None:
        until = data.get("until")
        if until is None and "until" not in self.errors:
            self.add_error("until", "Write the last day.")
        elif until is not None and end_of(until) <= self.at:
            self.add_error("until", "The consent must end in the future.")

    def _check_agreement(self, data: dict[str, Any]) -> None:
        spoken = data.get("verification") == Verification.VERBAL
        if spoken and not data.get("witness") and "witness" not in self.errors:
            self.add_error("witness", "A spoken consent needs a witness.")
        if not spoken and not data.get("evidence") and "evidence" not in self.errors:
            self.add_error("evidence", "Attach the signed form.")
        other = data.get("performer") != Performer.SELF
        if other and not data.get("performer_name") and "performer_name" not in self.errors:
            self.add_error("performer_name", "Write who agreed for the patient.")

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

    def said(self) -> Said:
        """What was filled in, as the consent desk takes it. A denial speaks of every action.

        How it was agreed may still be wrong or missing: a draft is foreseen before it is complete.
        """
        data = self.cleaned_data
        denies = data["decision"] == Decision.DENY
        may = Action.AI if denies else Action(data.get("may") or Action.IMAGES)
        spoken = data.get("verification") == Verification.VERBAL
        return Said(
            decision=Decision(data["decision"]),
            starts_at=self.at,
            ends_at=self._end(),
            purposes=DENIED if denies else frozenset({Purpose(data.get("purpose") or "TREAT")}),
            actions=frozenset(may.ladder),
            organizations=tuple(data["organizations"]),
            named_by_custodian=data["named"] and not denies,
            modalities=frozenset(data["modalities"]),
            performer=Performer(data.get("performer") or Performer.SELF),
            performer_name=data.get("performer_name", ""),
            verification=Verification.VERBAL if spoken else Verification.PAPER,
            witness=data.get("witness", "") if spoken else "",
            evidence=None if spoken else data.get("evidence"),
        )

    def _end(self) -> datetime | None:
        period = self.cleaned_data["period"]
        if period == "open":
            return None
        if period == "day":
            return end_of(self.cleaned_data["until"])
        return end_of(days_on(self.at, int(period)))


class RevokeForm(forms.Form):
    """Why a consent ends."""

    why = forms.CharField(
        label="Why",
        max_length=300,
        validators=[one_line],
        initial="The patient asked for it.",
        help_text="The access log keeps it. No medical details.",
    )
