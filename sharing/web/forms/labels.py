"""Labels on a study, and the rules that set them."""

import re
from typing import Any

from django import forms

from sharing.archive.services.label_rules import Wanted
from sharing.dicom.regions import BodyRegion
from sharing.kernel.sensitivity import Label
from sharing.web.wording import MODALITIES

from .base import Form
from .joining import one_line

CHOICES = [("", "Choose"), *((label.value, label.words) for label in Label)]
_LINES = re.compile(r"[\n,;，；、]")


class LabelForm(Form):
    """One label, and why."""

    label = forms.ChoiceField(label="Label", choices=CHOICES)
    words = forms.CharField(
        label="Why",
        max_length=300,
        validators=[one_line],
        help_text="Your organization’s people read it. No more detail than needed.",
        error_messages={"required": "Say in a few words why."},
    )

    def __init__(self, *args: Any, without: set[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        left = [choice for choice in CHOICES if choice[0] not in without]
        self.fields["label"].choices = left  # type: ignore[attr-defined]

    @property
    def chosen(self) -> Label:
        """The label."""
        return Label(self.cleaned_data["label"])


class RuleForm(Form):
    """What a rule looks for: within a field one of several, between fields all."""

    label = forms.ChoiceField(label="Sets the label", choices=CHOICES)
    words = forms.CharField(
        label="Words in the description",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=(
            "One a line. Capitals and accents don’t matter; psych* stands for all that begins so."
        ),
    )
    departments = forms.CharField(
        label="Department or service that asked",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One a line, compared in the same way.",
    )
    modalities = forms.MultipleChoiceField(
        label="Kinds",
        choices=list(MODALITIES.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    regions = forms.MultipleChoiceField(
        label="Body regions",
        choices=[(region.value, region.words) for region in BodyRegion],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    under_age = forms.IntegerField(
        label="Patient younger than, years", required=False, min_value=1, max_value=120
    )
    reason = forms.CharField(
        label="Why",
        max_length=300,
        validators=[one_line],
        help_text="It stands on each study that the rule labels.",
    )

    @property
    def wanted(self) -> Wanted:
        """The rule that was filled in."""
        said = self.cleaned_data
        return Wanted(
            label=Label(said["label"]),
            reason=said["reason"],
            words=_lines(said["words"]),
            departments=_lines(said["departments"]),
            modalities=tuple(said["modalities"]),
            regions=tuple(BodyRegion(each) for each in said["regions"]),
            under_age=said["under_age"],
        )


def _lines(text: str) -> tuple[str, ...]:
    lines = (" ".join(line.split()) for line in _LINES.split(text))
    return tuple(dict.fromkeys(line for line in lines if line))
