"""What stands in a copy for who and when: the same inside one export, and told by no other."""

import hmac
import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from uuid import UUID

from pydicom._uid_dict import UID_dictionary

from sharing.dicom.scan import is_uid
from sharing.dicom.values import day

LEAST_DAYS, MOST_DAYS = 366, 3653
_MOMENT = re.compile(r"(\d{8})(\d{2,6}(?:\.\d{1,6})?)?([+-]\d{4})?")


@dataclass(frozen=True)
class Aliases:
    """Those of one patient in one export. `key` is the export's, and is kept nowhere."""

    key: bytes
    patient: str

    @cached_property
    def name(self) -> str:
        """Stands for the patient's name and identifier."""
        return f"N-{self._digest('patient', self.patient)[:6].hex().upper()}"

    @cached_property
    def days(self) -> timedelta:
        """How far back all of the patient's dates are moved: one to ten years."""
        number = int.from_bytes(self._digest("days", self.patient)[:8], "big")
        return timedelta(days=LEAST_DAYS + number % (MOST_DAYS - LEAST_DAYS))

    def uid(self, uid: str) -> str:
        """Another UID for this one, blank for what is none; what the standard registered stays."""
        if not is_uid(uid):
            return ""
        if uid in UID_dictionary:
            return uid
        number = UUID(bytes=self._digest("uid", uid)[:16], version=5).int
        return f"2.25.{number}"

    def day(self, words: str) -> str:
        """A DA value, moved; blank where it is no date, or one that can't be moved."""
        read = day(words)
        try:
            return f"{read - self.days:%Y%m%d}".zfill(8) if read else ""
        except OverflowError:
            return ""

    def moment(self, words: str) -> str:
        """A DT value, its day moved, without its time zone; of a year alone nothing is left."""
        found = _MOMENT.fullmatch(words)
        day = self.day(found[1]) if found else ""
        return day + (found[2] or "") if found and day else ""

    def _digest(self, of: str, value: str) -> bytes:
        return hmac.digest(self.key, f"{of}|{value}".encode(), "sha256")
