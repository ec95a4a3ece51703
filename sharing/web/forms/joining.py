"""The registration of an organization, and what follows it on either side."""

import re

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField

from sharing.kernel.errors import BadValue
from sharing.kernel.uids import UID
from sharing.tenants.devices import devices_in
from sharing.tenants.services import Application

from .base import Form
from .countries import COUNTRIES

KINDS = (("hospital", "Hospital"), ("clinic", "Clinic"), ("imaging_centre", "Imaging centre"))
UID_ROOT_LENGTH = 54  # leaves room for a suffix: a UID has 64 characters at most (PS3.5 9.1)
_LATIN = re.compile(r"[A-Za-z]")
_NUMERIC = re.compile(r"[0-9.]+")
# These separate components in HL7 messages and in DICOM values.
_SEPARATING = set("^&|~\\")


def one_line(value: str) -> None:
    """Names end in e-mail headers and DICOM values: no line breaks, no control characters."""
    if not value.isprintable():
        raise ValidationError("Use letters, figures and signs on one line.")


def latin(value: str) -> None:
    """Everybody in the region can read it, and the organization's mark is made of it."""
    if len(_LATIN.findall(value)) < 2:
        raise ValidationError("Write it in Latin letters; another script has its own field.")


def issuer(value: str) -> None:
    """An OID or a short name (Issuer of Patient ID, (0010,0021))."""
    if _SEPARATING & set(value):
        raise ValidationError("Leave out ^ & | ~ and \\.")
    if _NUMERIC.fullmatch(value):
        _strict_uid(value, "This looks like an OID but is not one: figures joined by single dots.")


def _strict_uid(value: str, sentence: str) -> None:
    try:
        strict = UID.parse(value).strict
    except BadValue:
        strict = False
    if not strict or "." not in value:
        raise ValidationError(sentence)


class ApplicationForm(Form):
    """What a hospital says of itself on the public page."""

    name = forms.CharField(
        label="Name, in Latin letters", max_length=160, validators=[one_line, latin]
    )
    native_name = forms.CharField(
        label="Name in another script", max_length=160, required=False, validators=[one_line]
    )
    kind = forms.ChoiceField(label="Kind", choices=KINDS)
    country = forms.ChoiceField(label="Country", choices=(("", "Choose"), *COUNTRIES))
    facility_identifier = forms.CharField(
        label="Facility identifier",
        max_length=64,
        validators=[one_line],
        help_text="The licence or register number by which your authority knows you.",
    )
    contact_name = forms.CharField(label="Contact’s name", max_length=120, validators=[one_line])
    contact_email = forms.EmailField(
        label="Contact’s work e-mail", help_text="A link to confirm this address is sent there."
    )
    contact_phone = forms.CharField(
        label="Contact’s phone", max_length=40, required=False, validators=[one_line]
    )
    privacy_officer_name = forms.CharField(
        label="Privacy officer’s name", max_length=120, validators=[one_line]
    )
    privacy_officer_email = forms.EmailField(label="Privacy officer’s work e-mail")
    patient_id_issuer = forms.CharField(
        label="Issuer of patient IDs",
        max_length=64,
        validators=[one_line, issuer],
        help_text="An OID or a short name. It tells your patient numbers from all others.",
    )
    uid_root = forms.CharField(
        label="DICOM UID root",
        max_length=UID_ROOT_LENGTH + 1,
        required=False,
        help_text="If you have one: 1.2.826.0.1.…",
    )
    ae_titles = forms.CharField(
        label="AE titles",
        max_length=400,
        required=False,
        help_text="Of the systems that will send to or ask the portal, separated by commas.",
    )

    PARTS = {
        "organization": ("name", "native_name", "kind", "country", "facility_identifier"),
        "contact": ("contact_name", "contact_email", "contact_phone"),
        "privacy": ("privacy_officer_name", "privacy_officer_email"),
        "images": ("patient_id_issuer", "uid_root", "ae_titles"),
    }

    def parts(self) -> dict[str, list[tuple[BoundField, bool]]]:
        """The fields by part of the page, each with whether it may be left empty."""
        return {
            part: [(self[name], not self.fields[name].required) for name in names]
            for part, names in self.PARTS.items()
        }

    def clean_uid_root(self) -> str:
        """Without the final dot that people write."""
        root: str = self.cleaned_data["uid_root"].rstrip(".")
        if root:
            _strict_uid(root, "A UID root is figures joined by single dots.")
        return root

    def clean_ae_titles(self) -> list[str]:
        """The titles alone; where the systems are can be said later."""
        try:
            return [device.ae_title for device in devices_in(self.cleaned_data["ae_titles"])]
        except BadValue as error:
            raise ValidationError(str(error)) from None

    def application(self) -> Application:
        """What was filled in, for the domain."""
        return Application(**self.cleaned_data)


class AnswerForm(Form):
    """The applicant answers the operator's question."""

    answer = forms.CharField(
        label="Your answer", max_length=4000, widget=forms.Textarea(attrs={"rows": 6})
    )


class AskForm(Form):
    """The operator asks the applicant."""

    question = forms.CharField(
        label="Question to the applicant",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Goes to the contact by e-mail, with a link to answer.",
    )


class RefuseForm(Form):
    """The operator turns an application down."""

    reason = forms.CharField(
        label="Reason for refusing",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Goes to the contact by e-mail.",
    )


class WhyForm(Form):
    """Why an organization takes a step; it is told to its people."""

    why = forms.CharField(
        label="Why",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept in its history and told to its people by e-mail.",
    )
