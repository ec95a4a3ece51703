"""Why somebody acts (HL7 v3 PurposeOfUse), what they may do, and what that obliges them to."""

from enum import StrEnum


class Purpose(StrEnum):
    """One of these stands on every Actor, Grant and audit Event."""

    TREATMENT = "TREAT"
    EMERGENCY = "ETREAT"
    RESEARCH = "HRESCH"
    OPERATIONS = "HOPERAT"
    PATIENT_REQUEST = "PATRQT"

    @property
    def words(self) -> str:
        """The purpose as pages say it, in the middle of a sentence."""
        return _PURPOSE_WORDS[self]


_PURPOSE_WORDS = {
    Purpose.TREATMENT: "treatment",
    Purpose.EMERGENCY: "emergency treatment",
    Purpose.RESEARCH: "research",
    Purpose.OPERATIONS: "operations",
    Purpose.PATIENT_REQUEST: "the patient’s own request",
}


class Action(StrEnum):
    """What may be done with a study; each is granted by itself."""

    DISCOVER = "discover"
    REPORT = "report"
    IMAGES = "images"
    DOWNLOAD = "download"
    SEND = "send"
    RESHARE = "reshare"
    AI = "ai"

    @property
    def words(self) -> str:
        """The action as a short verb phrase for pages."""
        return _ACTION_WORDS[self]

    @property
    def ladder(self) -> tuple["Action", ...]:
        """This action and all that the consent form's ladder includes before it."""
        order = tuple(Action)
        return order[: order.index(self) + 1]


_ACTION_WORDS = {
    Action.DISCOVER: "know that the study exists",
    Action.REPORT: "read the report",
    Action.IMAGES: "view images",
    Action.DOWNLOAD: "download",
    Action.SEND: "send to an archive",
    Action.RESHARE: "share further",
    Action.AI: "have software analyse it",
}


class Obligation(StrEnum):
    """What a permit asks of whoever makes use of it (HL7 v3 ObligationPolicy, in our words)."""

    WATERMARK = "watermark"
    NO_DOWNLOAD = "no_download"
    DEIDENTIFY = "deidentify"
    NOTIFY_PATIENT = "notify_patient"
    MAXIMUM_USES = "maximum_uses"

    @property
    def words(self) -> str:
        """The obligation as pages say it."""
        return _OBLIGATION_WORDS[self]


_OBLIGATION_WORDS = {
    Obligation.WATERMARK: "images carry the reader's name",
    Obligation.NO_DOWNLOAD: "no download",
    Obligation.DEIDENTIFY: "only without what names the patient",
    Obligation.NOTIFY_PATIENT: "the patient is told of each use",
    Obligation.MAXIMUM_USES: "only so many uses",
}
LEAVING = frozenset({Action.DOWNLOAD, Action.SEND})
"""The actions by which a copy leaves."""
