"""Why something is sensitive: one vocabulary for labels on studies and for what consents name."""

from enum import StrEnum

SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


class Label(StrEnum):
    """Codes of HL7 v3 ActCode below `_InformationSensitivityPolicy`; `display` is their name."""

    SUBSTANCES = "ETH"
    HIV = "HIV"
    STD = "STD"
    PSYCHIATRY = "PSY"
    REPRODUCTION = "SEX"
    VIOLENCE = "SDV"
    GENETICS = "GDIS"
    YOUNG = "ADOL"
    PUBLIC_FIGURE = "CEL"
    EMPLOYEE = "EMP"
    TABOO = "TBOO"
    PATIENT_ASKED = "PRS"

    @property
    def words(self) -> str:
        """The label as pages say it."""
        return _NAMES[self][0]

    @property
    def display(self) -> str:
        """The code's name in the standard."""
        return f"{_NAMES[self][1]} information sensitivity"


_NAMES = {
    Label.SUBSTANCES: ("Alcohol and drugs", "substance abuse"),
    Label.HIV: ("HIV", "HIV/AIDS"),
    Label.STD: ("Sexually transmitted", "sexually transmitted disease"),
    Label.PSYCHIATRY: ("Psychiatry", "psychiatry disorder"),
    Label.REPRODUCTION: ("Reproductive health", "sexuality and reproductive health"),
    Label.VIOLENCE: ("Violence or abuse", "sexual assault, abuse, or domestic violence"),
    Label.GENETICS: ("Genetics", "genetic disease"),
    Label.YOUNG: ("Minor", "adolescent"),
    Label.PUBLIC_FIGURE: ("Public figure", "celebrity"),
    Label.EMPLOYEE: ("Own employee", "employee"),
    Label.TABOO: ("Patient hears it first", "taboo"),
    Label.PATIENT_ASKED: ("Patient asked for it", "patient requested"),
}


def known_labels(values: object) -> tuple[Label, ...]:
    """Those of the values that are labels of ours, in the vocabulary's order."""
    held = set(values) if isinstance(values, set | frozenset | list | tuple) else set()
    return tuple(label for label in Label if label.value in held)
