"""How our forms speak: what to do, not what went wrong."""

from typing import Any

from django import forms


class Form(forms.Form):
    """A form whose empty fields ask to be filled in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if (
                field.error_messages.get("required")
                == forms.Field.default_error_messages["required"]
            ):
                chosen = isinstance(field, forms.ChoiceField)
                field.error_messages["required"] = "Choose one." if chosen else "Fill this in."
