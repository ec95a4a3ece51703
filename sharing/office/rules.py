"""What a test of a connection looks at, and what to do about each result. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Check(StrEnum):
    """One thing that is tried."""

    TOKEN = "token"  # noqa: S105 - the name of a check
    CLOCK = "clock"
    STORE = "store"
    FIND = "find"
    CHARSET = "charset"
    ISSUER = "issuer"
    RETRIEVE = "retrieve"
    CLEAN = "clean"
    WEBHOOK = "webhook"
    ECHO = "echo"


class Verdict(StrEnum):
    """How it went; what was not tried fails nobody."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Result:
    """One check's end, in plain words."""

    check: Check
    verdict: Verdict
    said: str
    todo: str = ""
    milliseconds: int = 0

    @property
    def label(self) -> str:
        """The check as pages name it."""
        return LABELS[self.check]


LABELS: Mapping[Check, str] = {
    Check.TOKEN: "Token",
    Check.CLOCK: "Clock",
    Check.STORE: "Send a study (STOW)",
    Check.FIND: "Find it again (QIDO)",
    Check.CHARSET: "Names keep their characters",
    Check.ISSUER: "Patient numbers carry your issuer",
    Check.RETRIEVE: "Fetch it again (WADO)",
    Check.CLEAN: "Clean up",
    Check.WEBHOOK: "Webhook",
    Check.ECHO: "C-ECHO",
}
TODO: Mapping[Check, str] = {
    Check.TOKEN: "Ask the operator whether your organization is suspended.",
    Check.CLOCK: "Set the clock of the device that sent it by a time server (NTP).",
    Check.STORE: "Read the reason. Quota and address are on this console; else ask the operator.",
    Check.FIND: "Wait a minute and test again. If it stays so, tell the operator.",
    Check.CHARSET: "Set the character set of your files in the profile, or in your device.",
    Check.ISSUER: "Write the issuer of patient IDs in your profile.",
    Check.RETRIEVE: "Tell the operator: what was stored came back otherwise.",
    Check.CLEAN: "A legal hold keeps the test study. Lift it, then test again.",
    Check.WEBHOOK: "Look at its page under Webhooks; send a test again when your side is mended.",
    Check.ECHO: "Check the device under Devices.",
}
NOT_SET_UP: Mapping[Check, str] = {
    Check.WEBHOOK: "If a system of yours wants to be told what happens: Webhooks, New.",
    Check.ECHO: "If a system of yours answers DICOM calls: give its address under Devices.",
}
CALLER = "IMAGING_PORTAL"
"""The portal's own AE title, by which it calls an organization's systems."""


def passed(results: list[Result]) -> bool:
    """Whether nothing failed and something was tried."""
    verdicts = {result.verdict for result in results}
    return Verdict.FAILED not in verdicts and Verdict.PASSED in verdicts


def forecast(months: list[int], *, ahead: int) -> list[int]:
    """What is held after each of the next months, if it grows as it did in the last three.

    `months`: bytes that came in each month, oldest first, the last one whole.
    """
    lately = months[-3:]
    step = sum(lately) // len(lately) if lately else 0
    held = sum(months)
    return [held + step * number for number in range(1, ahead + 1)]


def months_until(limit: int, held: int, months: list[int]) -> int | None:
    """Months until `limit` is reached at that growth; None: not within ten years, or no limit."""
    lately = months[-3:]
    step = sum(lately) // len(lately) if lately else 0
    if not limit or step <= 0:
        return None
    left = max(0, limit - held) // step
    return left if left <= 120 else None
