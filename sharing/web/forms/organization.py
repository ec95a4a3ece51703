"""What an organization's administrator fills in about it."""

import io
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from PIL import Image

from sharing.kernel.errors import BadValue
from sharing.tenants.devices import Device, devices_in
from sharing.tenants.rules import Hosting, Tier
from sharing.tenants.services import Profile

from .base import Form
from .joining import ApplicationForm, issuer, latin, one_line

LOGO = (256, 96)
"""Width and height that a picture is made to fit."""
MOST_PIXELS = 16_000_000
CHARSETS = (
    ("", "As DICOM says (ASCII)"),
    ("ISO_IR 192", "Unicode (ISO_IR 192)"),
    ("ISO_IR 100", "Latin 1 (ISO_IR 100)"),
    ("ISO_IR 101", "Latin 2 (ISO_IR 101)"),
    ("ISO_IR 144", "Cyrillic (ISO_IR 144)"),
    ("GB18030", "Chinese (GB18030)"),
    ("GBK", "Chinese (GBK)"),
)
LANGUAGES = (("en", "English"), ("zh-Hans", "简体中文"), ("de", "Deutsch"), ("fr", "Français"))
HOSTINGS = ((Hosting.REGION.value, "In the region"), (Hosting.INDEX.value, "Index only: not yet"))


class SignForm(Form):
    """Who signs the region's terms, in which function; `sha256` names what was shown."""

    signed_by = forms.CharField(label="Who signs", max_length=120, validators=[one_line])
    function = forms.CharField(
        label="In which function",
        max_length=120,
        validators=[one_line],
        help_text="For example: Medical director.",
    )
    sha256 = forms.CharField(max_length=64, widget=forms.HiddenInput)


class ProfileForm(Form):
    """What an organization says of itself."""

    name = forms.CharField(
        label="Legal name, in Latin letters", max_length=160, validators=[one_line, latin]
    )
    native_name = forms.CharField(
        label="Legal name in another script", max_length=160, required=False, validators=[one_line]
    )
    tier = forms.ChoiceField(
        label="Kind of house",
        choices=(("", "Not said"), *((tier.value, tier.words) for tier in Tier)),
        required=False,
    )
    parent = forms.ChoiceField(label="Belongs to the network of", required=False)
    facility_scheme = forms.CharField(
        label="Register of the facility identifier",
        max_length=80,
        required=False,
        validators=[one_line],
        help_text="Who gave the identifier: a register’s name or OID.",
    )
    address = forms.CharField(
        label="Address", max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    time_zone = forms.ChoiceField(label="Time zone", required=False)
    languages = forms.MultipleChoiceField(
        label="Languages", choices=LANGUAGES, required=False, widget=forms.CheckboxSelectMultiple
    )
    contact_name = forms.CharField(label="Contact’s name", max_length=120, validators=[one_line])
    contact_email = forms.EmailField(label="Contact’s work e-mail")
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
        help_text="Changing it makes new patients of old numbers. What is here keeps its own.",
    )
    uid_root = forms.CharField(label="DICOM UID root", max_length=55, required=False)
    default_charset = forms.ChoiceField(
        label="Character set of files that name none", choices=CHARSETS, required=False
    )
    hosting = forms.ChoiceField(label="Where images are kept", choices=HOSTINGS)
    retention_years = forms.IntegerField(
        label="Studies are kept for, in years", min_value=0, max_value=100, required=False
    )
    legal_hold = forms.CharField(
        label="Legal hold on everything",
        max_length=300,
        required=False,
        validators=[one_line],
        help_text="Why. While something stands here nothing of yours can be deleted or purged.",
    )
    colour = forms.RegexField(
        r"^#[0-9a-f]{6}$", label="Colour", required=False, help_text="For example #0b5560."
    )
    clean_uid_root = ApplicationForm.clean_uid_root

    PARTS = (
        ("Organization", ("name", "native_name", "tier", "parent", "facility_scheme")),
        ("Place", ("address", "time_zone", "languages")),
        ("People", (
            "contact_name", "contact_email", "contact_phone",
            "privacy_officer_name", "privacy_officer_email",
        )),
        ("Images", ("patient_id_issuer", "uid_root", "default_charset", "hosting")),
        ("Keeping", ("retention_years", "legal_hold")),
        ("Look", ("colour",)),
    )  # fmt: skip

    def __init__(self, *args: Any, parents: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        none, zones = ("", "None"), sorted(available_timezones())
        self.fields["parent"].choices = [none, *((each.code, each.name) for each in parents)]  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = [  # type: ignore[attr-defined]
            ("", "As the portal"), *((zone, zone) for zone in zones)
        ]  # fmt: skip

    def parts(self) -> list[tuple[str, list[tuple[Any, bool]]]]:
        """The fields by part of the page, each with whether it may be left empty."""
        return [
            (word, [(self[name], not self.fields[name].required) for name in names])
            for word, names in self.PARTS
        ]

    @property
    def profile(self) -> Profile:
        """What was filled in, for the domain."""
        return Profile(**self.cleaned_data)


class DevicesForm(Form):
    """The AE titles of the own systems, and where the portal may ask whether they are there."""

    devices = forms.CharField(
        label="AE titles",
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="One a line. With an address, the test of the connection asks the system by "
        "C-ECHO: PACS@pacs.hospital.example:11112",
    )

    def clean_devices(self) -> list[Device]:
        """Raises ValidationError for a title or an address that can't be one."""
        try:
            return devices_in(self.cleaned_data["devices"])
        except BadValue as error:
            raise ValidationError(str(error)) from None


class LogoForm(Form):
    """A picture: drawn anew here, so that nothing but its pixels is kept."""

    picture = forms.FileField(label="Picture", help_text="PNG or JPEG, 2 MB at most.")

    def clean_picture(self) -> bytes:
        """As a small PNG. Raises ValidationError for what is no picture."""
        file: UploadedFile = self.cleaned_data["picture"]
        if (file.size or 0) > 2 * 1024 * 1024:
            raise ValidationError("The picture is larger than 2 MB.")
        try:
            with Image.open(file, formats=("PNG", "JPEG")) as opened:
                if opened.width * opened.height > MOST_PIXELS:  # said before it is inflated
                    raise ValidationError("The picture has more than 16 million pixels.")
                picture = opened.convert("RGBA")
        except (OSError, ValueError, Image.DecompressionBombError):
            raise ValidationError("This is no PNG or JPEG picture.") from None
        picture.thumbnail(LOGO)
        out = io.BytesIO()
        picture.quantize(128).save(out, "PNG", optimize=True)
        return out.getvalue()


class QuotaForm(Form):
    """How much an organization may hold."""

    gigabytes = forms.IntegerField(
        label="Quota in GB",
        min_value=0,
        max_value=10_000_000,
        required=False,
        help_text="Empty: as the region’s. 0: no end.",
    )
