"""A paper or a photo for a patient: the file, what it is called, its day and its study."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from sharing.consent.rules import EVIDENCE_MAX_BYTES, media_type_of
from sharing.web import words

from .days import DayField
from .joining import one_line


class PaperForm(forms.Form):
    """`studies`: those of the patient that it may belong to."""

    file = forms.FileField(
        label="File", help_text="A PDF, or a photo as JPEG or PNG. At most 20 MB."
    )
    title = forms.CharField(label="Title", max_length=64, validators=[one_line])
    day = DayField(label="Day", help_text="When it was written or taken.")
    study = forms.ChoiceField(label="Belongs to", required=False)

    def __init__(self, *args: Any, studies: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(study.public_id, _named(study)) for study in studies]
        self.fields["study"].choices = [("", "A study of its own"), *named]  # type: ignore[attr-defined]

    def clean_file(self) -> UploadedFile:
        """Its first bytes say what it is, not its name."""
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > EVIDENCE_MAX_BYTES or media_type_of(file.read(16)) is None:
            raise forms.ValidationError("Choose a PDF or a photo (JPEG, PNG), at most 20 MB.")
        file.seek(0)
        return file


def _named(study: Any) -> str:
    what = study.description or ", ".join(study.modality_list)
    return f"{what}, {words.day(study.study_date) or 'date unknown'}"
