"""Verbs of the access log: recording, reading, sealing it and showing that it was not changed."""

from .anchoring import anchor
from .checking import check, export, file_anchors
from .reading import Entry, log_of_organization, log_of_study
from .recording import flush_reads, record, record_all, record_read, repeat_read
from .sealing import seal

__all__ = [
    "Entry",
    "anchor",
    "check",
    "export",
    "file_anchors",
    "flush_reads",
    "log_of_organization",
    "log_of_study",
    "record",
    "record_all",
    "record_read",
    "repeat_read",
    "seal",
]
