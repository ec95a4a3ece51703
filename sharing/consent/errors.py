"""What the consent desk can refuse."""

from sharing.kernel.errors import Absent, DomainError


class ConsentNotFound(Absent):
    """No such consent at the custodian."""


class ConsentInvalid(DomainError):
    """A consent that says too little or contradicts itself."""

    code = "consent_invalid"
    message = "The consent is not complete."


class EvidenceInvalid(DomainError):
    """The attached document is not one that can be kept as evidence."""

    code = "evidence_invalid"
    message = "Attach a PDF or a picture (JPEG, PNG), at most 20 MB."


class EvidenceUnavailable(DomainError):
    """The document can't be read from the store, or is not the one that was kept."""

    code = "blob_unavailable"
    message = "The signed form can't be read now. Tell the operator of the portal."


class ProxyInvalid(DomainError):
    """Who speaks for the patient may not, or not now."""

    code = "proxy_invalid"
    message = "This person can't speak for the patient now."


class TextUnknown(DomainError):
    """No such text in this language, or its file is not the one that was published."""

    code = "text_unknown"
    message = "The text for the patient can't be shown. Tell the operator of the portal."


class PhoneWrong(DomainError):
    """Code, digits or birth date don't match, or the code is over: one answer for all."""

    code = "phone_wrong"
    message = "This does not match."


class PhoneOver(Absent):
    """What the phone held is over, or was never there."""


class PhoneNotNow(DomainError):
    """Who issued the code may not record consents any more, or what it says can't be recorded."""

    code = "phone_not_now"
    message = "The desk can't finish this now. Nothing was changed."


class SignatureInvalid(DomainError):
    """What came as a signature is no drawing of ours."""

    code = "signature_invalid"
    message = "Draw your name first."
