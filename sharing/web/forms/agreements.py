"""An agreement of two organizations, as the operator keeps it."""

from datetime import datetime, time
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from sharing.kernel.purposes import Purpose
from sharing.tenants.services import AGREED_FOR, DOCUMENT_MAX_BYTES, Terms
from sharing.web.wording import MODALITIES

from .base import Form
from .days import DayField, end_of
from .joining import one_line


class AgreementForm(Form):
    """Between whom, for what, how long, who signed, and the paper."""

    provider: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        label="Gives studies", queryset=None, to_field_name="code", empty_label="Choose"
    )
    recipient: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        label="May see them", queryset=None, to_field_name="code", empty_label="Choose"
    )
    purposes = forms.MultipleChoiceField(
        label="Purposes",
        choices=[(purpose.value, purpose.words.capitalize()) for purpose in AGREED_FOR],
        widget=forms.CheckboxSelectMultiple,
        initial=[Purpose.TREATMENT.value],
    )
    modalities = forms.MultipleChoiceField(
        label="Only these kinds",
        choices=list(MODALITIES.items()),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="None chosen: all kinds.",
    )
    starts = DayField(label="From", example="1 Dec 2026")
    ends = DayField(label="Until", example="30 Nov 2027")
    signed_for_provider = forms.CharField(
        label="Signed for the one that gives", max_length=120, validators=[one_line]
    )
    signed_for_recipient = forms.CharField(
        label="Signed for the one that sees", max_length=120, validators=[one_line]
    )
    document = forms.FileField(
        label="The signed document",
        help_text=(
            "It is not stored here. Its SHA-256 fingerprint is, so that it can be proven later."
        ),
    )

    def __init__(self, *args: Any, organizations: QuerySet[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("provider", "recipient"):
            self.fields[name].queryset = organizations  # type: ignore[attr-defined]

    def clean_document(self) -> Any:
        """No larger than what is read."""
        found = self.cleaned_data["document"]
        if found.size > DOCUMENT_MAX_BYTES:
            raise forms.ValidationError("The document is larger than 20 MB.")
        return found

    def clean(self) -> dict[str, Any]:
        """What one field asks of another."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("provider") and data.get("provider") == data.get("recipient"):
            self.add_error("recipient", "Choose another organization.")
        if data.get("starts") and data.get("ends") and data["ends"] < data["starts"]:
            self.add_error("ends", "It ends before it begins.")
        return data

    @property
    def terms(self) -> Terms:
        """What was filled in."""
        said = self.cleaned_data
        begins = timezone.make_aware(datetime.combine(said["starts"], time()))
        return Terms(
            provider=said["provider"],
            recipient=said["recipient"],
            purposes=frozenset(Purpose(each) for each in said["purposes"]),
            modalities=frozenset(said["modalities"]),
            starts_at=begins,
            ends_at=end_of(said["ends"]),
            signed_for_provider=said["signed_for_provider"],
            signed_for_recipient=said["signed_for_recipient"],
        )
