"""`|said`, in every template without `load`: the portal's English in the reader's language."""

from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from sharing.kernel.saying import said as said_of

register = template.Library()


@register.filter
def said(text: Any) -> Any:
    """Text that is safe stays safe; what is no text stays as it is."""
    if isinstance(text, SafeString):
        told = said_of(str(text))
        return mark_safe(told) if told == str(text) else told  # noqa: S308 - as it came
    return said_of(text) if isinstance(text, str) else text
