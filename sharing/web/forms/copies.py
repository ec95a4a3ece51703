"""Copies that name nobody: of which images, and what who takes them promises."""

from collections.abc import Sequence
from typing import Any

from django import forms

from sharing.archive.services.unnamed import Kind

ALL = ""
UNPROMISED = "Without this promise no copy leaves."


class CopiesForm(forms.Form):
    """What is offered is what the actor may have, and nothing else is told apart from nothing."""

    modality = forms.ChoiceField(label="Images", required=False)
    promise = forms.BooleanField(
        label="I will not try to find out who these patients are",
        error_messages={"required": UNPROMISED},
    )

    def __init__(self, kinds: Sequence[Kind], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(ALL, "All of them"), *((kind.modality, kind.modality) for kind in kinds)]
        self.fields["modality"].choices = offered  # type: ignore[attr-defined]
