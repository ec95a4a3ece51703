"""Verbs of the access log: recording, reading, sealing it and showing that it was not changed."""

from .anchoring import anchor
from .checking import check, export, file_anchors
from .expiring import expire
from .feeding import bundle_of, feed, place_of, sealed_after, stand_at
from .figures import Figures, figures, reads_of, what_stands_out
from .past import as_it_was, keep_past
from .reading import (
    Copy,
    Entry,
    accounting_of,
    copies_of_patient,
    copies_that_left,
    event_by_value,
    events_of,
    lines_of,
    log_export,
    log_in_emergency,
    log_lines,
    log_of_copy,
    log_of_organization,
    log_of_running,
    log_of_study,
)
from .recording import drain, flush_reads, record, record_all, record_read, repeat_read
from .sealing import seal
from .witnessing import countersign, heads, newest_head, proof_between

__all__ = [
    "Copy",
    "Entry",
    "Figures",
    "accounting_of",
    "anchor",
    "as_it_was",
    "bundle_of",
    "check",
    "copies_of_patient",
    "copies_that_left",
    "countersign",
    "drain",
    "event_by_value",
    "events_of",
    "expire",
    "export",
    "feed",
    "figures",
    "file_anchors",
    "flush_reads",
    "heads",
    "keep_past",
    "lines_of",
    "log_export",
    "log_in_emergency",
    "log_lines",
    "log_of_copy",
    "log_of_organization",
    "log_of_running",
    "log_of_study",
    "newest_head",
    "place_of",
    "proof_between",
    "reads_of",
    "record",
    "record_all",
    "record_read",
    "repeat_read",
    "seal",
    "sealed_after",
    "stand_at",
    "what_stands_out",
]
