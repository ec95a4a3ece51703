"""`{% load portal %}`: icons, built scripts, names, dates, ages, grounds."""

from datetime import date, datetime
from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField, BoundWidget
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

from sharing.audit.rules import SYSTEM
from sharing.kernel.saying import in_chinese, said
from sharing.web import built, icons, words

register = template.Library()


@register.simple_tag
def icon(name: str, css: str = "", label: str = "") -> SafeString:
    """`{% icon "eye" %}`: 16 px, the colour of the text; with `label` it speaks for itself."""
    return icons.svg(name, css=css, label=label)


@register.simple_tag
def built_entry(entry: str) -> SafeString:
    """`{% built_entry "shell/main.js" %}`: script and styles of a Vite entry."""
    return built.tags(entry)


@register.filter
def person(who: Any) -> SafeString:
    """A patient's or person's name in both scripts, never broken: `LIN Xiaoyan 林晓燕`.

    Takes an object with `latin` and `native`, or a plain string.
    """
    if who is None or who == "":
        return SafeString("")
    latin = words.latin_name(who if isinstance(who, str) else (getattr(who, "latin", "") or ""))
    native = "" if isinstance(who, str) else words.native_name(getattr(who, "native", "") or "")
    if native and in_chinese():  # first and alone, where it is known
        return format_html('<span class="name">{}</span>', native)
    if native and native != latin:
        spoken = format_html('<span lang="zh-Hans">{}</span>', native)
        return format_html('<span class="name">{}{}{}</span>', latin, " " if latin else "", spoken)
    return format_html('<span class="name">{}</span>', latin)


@register.filter
def person_plain(who: Any) -> str:
    """The same name as plain text, for titles and labels."""
    if isinstance(who, str):
        return words.latin_name(who)
    if in_chinese() and who.native:
        return words.native_name(who.native)
    parts = (words.latin_name(who.latin or ""), words.native_name(who.native or ""))
    return " ".join(part for part in parts if part)


@register.filter
def day(value: date | datetime | None) -> str:
    """`12 Nov 2026`."""
    return said(words.day(_local(value)))


@register.filter
def moment(value: datetime | None) -> str:
    """`12 Nov 2026, 10:24`, in the portal's time zone."""
    return said(words.moment(_local(value)))


@register.filter
def device(user_agent: str) -> str:
    """`Chrome on Windows`."""
    return words.device(user_agent)


@register.filter
def age(born: date | None, on: date | None = None) -> str:
    """`55 y`, today or on the given date."""
    return said(words.age(born, on or timezone.localdate()))


@register.filter
def sex(code: str) -> str:
    """`Female` for `F`; `Unknown` for anything that DICOM does not name."""
    return said(words.SEXES.get((code or "").strip().upper(), "Unknown"))


@register.filter
def sex_mark(code: str) -> str:
    """`F`, where there is no room; `?` for what is not known."""
    known = (code or "").strip().upper()
    return (sex(known) if in_chinese() and known in words.SEXES else known) or "?"


@register.filter
def doer(name: str) -> str:
    """Who did it: a person's own name, and the portal's in the reader's language."""
    return said(name) if name == SYSTEM.name else name


@register.filter
def initials(name: str) -> str:
    """`BH` for `Dr Ben Hartley`."""
    return words.initials(name or "")


@register.filter
def first_word(text: str) -> str:
    """`Hilltop` for `Hilltop Family Clinic`, where there is no room."""
    return (text or "").split(" ", 1)[0]


@register.filter
def ground_icon(kind: str) -> str:
    """The icon of a kind of ground."""
    return words.GROUNDS.get(kind, words.GROUNDS["policy"])[0]


@register.filter
def ground_class(kind: str) -> str:
    """The class of a ground line of that kind."""
    return words.GROUNDS.get(kind, words.GROUNDS["policy"])[1]


@register.filter
def state_chip(state: str) -> SafeString:
    """The chip of a study's state; nothing for a state that has no chip."""
    if state not in words.STATES:
        return SafeString("")
    word, drawing, css = words.STATES[state]
    return format_html('<span class="chip {}">{}{}</span>', css, icons.svg(drawing), said(word))


@register.filter
def counted(count: int | None, noun: str) -> str:
    """`{{ 612|counted:"image" }}` is `612 images`; `"study,studies"` gives both forms."""
    one, _, many = noun.partition(",")
    return said(words.span(count or 0, one, many))


@register.filter
def paragraph(text: str) -> SafeString:
    """Free text with its line breaks kept, escaped."""
    return SafeString("<br>".join(conditional_escape(line) for line in (text or "").splitlines()))


@register.filter
def field_kind(field: BoundField) -> str:
    """How form_field.html lays a field out: "check", "choices" or "line"."""
    widget = field.field.widget
    if isinstance(widget, forms.RadioSelect):  # CheckboxSelectMultiple is one of them
        return "choices"
    return "check" if isinstance(widget, forms.CheckboxInput) else "line"


@register.simple_tag
def styled(field: BoundField, size: str = "", placeholder: str | None = None) -> SafeString:
    """The field's element with our classes, and tied to its error."""
    widget = field.field.widget
    if isinstance(widget, forms.CheckboxInput):
        css = "form-check-input"
    else:
        css = "form-select" if isinstance(widget, forms.Select) else "form-control"
        css += f" {css}-{size}" if size else ""
    own = widget.attrs.get("class", "")
    attrs: dict[str, str | bool] = {
        "class": f"{css} {own}{' is-invalid' if field.errors else ''}".strip()
    }
    if placeholder is not None or widget.attrs.get("placeholder") == field.label:
        attrs["placeholder"] = placeholder or False  # one that repeats the label says nothing
    if described := _descriptions(field):
        attrs["aria-describedby"] = described
    return field.as_widget(attrs=attrs)


@register.filter
def styled_choices(field: BoundField) -> list[BoundWidget]:
    """The choices of radios or checkboxes, each to be put in a label."""
    field.field.widget.attrs.setdefault("class", "form-check-input")
    return list(field.subwidgets)


@register.filter
def field_choices(field: BoundField) -> list[tuple[Any, Any]]:
    """A choice field's (value, word) pairs, for templates that lay them out themselves."""
    return list(getattr(field.field, "choices", ()))


@register.filter
def wrong_fields(form: forms.BaseForm) -> list[BoundField]:
    """The form's visible fields that have errors, in order."""
    return [field for field in form.visible_fields() if field.errors]


def _descriptions(field: BoundField) -> str:
    ids = [f"{field.auto_id}_helptext"] if field.help_text else []
    ids += [f"{field.auto_id}_error"] if field.errors else []
    return " ".join(ids)


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """The page's own query string with changes: `{% query page=2 %}`; None takes a key away."""
    params = context["request"].GET.copy()
    for key, value in changes.items():
        params.pop(key, None)
        if value is not None:
            params[key] = str(value)
    return f"?{params.urlencode()}" if params else "?"


def _local(value: Any) -> Any:
    if isinstance(value, datetime) and timezone.is_aware(value):
        return timezone.localtime(value)
    return value
