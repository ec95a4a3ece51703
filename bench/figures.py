"""What the archive has to reach, and the table that says whether it did."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """One row: the benchmark's figure, how many times better we must be, and in no round under."""

    words: str
    figure: str
    median: float | None
    worst: float | None = None


SMALL = (
    Target("STOW, 1 client, instances/s", "stow.c1.instances_per_s", 2.5, 2.0),
    Target("STOW, 4 clients, instances/s", "stow.c4.instances_per_s", 2.5, 1.5),
    Target("time to first image, first visit, ms", "ttfi.first.total.p50_ms", 15),
    Target("time to first image, again, ms", "ttfi.again.total.p50_ms", None),
    Target("series metadata, repeat, ms", "wado.metadata.c1.p50_ms", 6),
    Target("frames, 1 client, per s", "wado.frame.first.c1.per_s", 3),
    Target("frames, 4 clients, per s", "wado.frame.first.c4.per_s", 2.3),
    Target("frames, 16 clients, per s", "wado.frame.first.c16.per_s", 2.3),
    Target("frames again, 1 client, per s", "wado.frame.again.c1.per_s", None),
    Target("frames again, 4 clients, per s", "wado.frame.again.c4.per_s", None),
    Target("frames again, 16 clients, per s", "wado.frame.again.c16.per_s", None),
    Target("whole series, MB/s", "wado.series.mb_per_s", 1.5),
    Target("rendered, uncached, ms", "wado.rendered.c1.p50_ms", 3),
    Target("QIDO instances of a series, ms", "qido.instances.c1.p50_ms", 200),
    Target("QIDO series, ms", "qido.series.c1.p50_ms", None),
    Target("QIDO by PatientID, ms", "qido.patient_id.c1.p50_ms", 8),
    Target("QIDO by name prefix, ms", "qido.name_prefix.c1.p50_ms", None),
    Target("QIDO by date and modality, ms", "qido.date_modality.c1.p50_ms", None),
    Target("processor time while storing, s", "proc.stow.cpu_s", None),
    Target("processor time while searching, s", "proc.qido.cpu_s", None),
    Target("processor time while retrieving, s", "proc.wado.cpu_s", None),
    Target("memory while storing, MB", "proc.stow.memory_peak_mb", None),
    Target("memory while retrieving, MB", "proc.wado.memory_peak_mb", None),
)
LARGE = (
    Target("small studies stored, per s", "fill.studies_per_s", 8),
    Target("the last tenth of them, per s", "fill.last_tenth_per_s", 8),
    Target("QIDO by PatientID, ms", "qido.patient_id.c1.p50_ms", 8),
    Target("QIDO by PatientID, 4 clients, per s", "qido.patient_id.c4.per_s", None),
    Target("QIDO by name prefix, limit 50, ms", "qido.name_prefix.c1.p50_ms", 100),
    Target("QIDO by date and modality, limit 50, ms", "qido.date_modality.c1.p50_ms", 100),
    Target("QIDO series, ms", "qido.series.c1.p50_ms", None),
    Target("QIDO instances, ms", "qido.instances.c1.p50_ms", None),
)
HEAD = (
    "| figure | peer | ours | ratio | worst round | at least | reached |",
    "|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True, slots=True)
class Pair:
    """One run of the benchmark against one peer: its name and the parsed result."""

    peer: str
    result: dict[str, Any]

    def ratio(self, figure: str) -> dict[str, Any] | None:
        """Medians of both sides and the advantage of ours; None where it was not measured."""
        row = self.result["ratios"].get(figure)
        return row if row and row.get("advantage_median") else None


def harder(pairs: Iterable[Pair], figure: str) -> tuple[Pair, dict[str, Any]] | None:
    """The pair in which the peer was better in this figure."""
    found = [(pair, row) for pair in pairs if (row := pair.ratio(figure))]
    return min(found, key=lambda each: each[1]["advantage_median"]) if found else None


def reached(target: Target, row: dict[str, Any]) -> str:
    """Yes or no, by the median and by the worst round; a figure without a target has neither."""
    if target.median is None:
        return ""
    good = row["advantage_median"] >= target.median
    return "yes" if good and row["advantage_min"] >= (target.worst or 0) else "**no**"


def _line(target: Target, pairs: list[Pair]) -> str:
    found = harder(pairs, target.figure)
    if found is None:
        return f"| {target.words} | not measured | | | | {_least(target)} | **no** |"
    pair, row = found
    cells = (
        target.words,
        f"{_number(row['a'])} ({pair.peer})",
        _number(row["b"]),
        f"{row['advantage_median']:.2f}",
        f"{row['advantage_min']:.2f}",
        _least(target),
        reached(target, row),
    )
    return "| " + " | ".join(cells) + " |"


def _least(target: Target) -> str:
    if target.median is None:
        return ""
    return f"{target.median:g}x" + (f", no round under {target.worst:g}x" if target.worst else "")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def flatness(pairs: list[Pair]) -> str:
    """How the rate of storing small studies held: last tenth by first tenth, ours."""
    rows = [(p.ratio("fill.first_tenth_per_s"), p.ratio("fill.last_tenth_per_s")) for p in pairs]
    shares = [last["b"] / first["b"] for first, last in rows if first and last]
    if not shares:
        return ""
    return f"\nOurs stored the last tenth at {statistics.median(shares):.2f} of the first's rate."


def table(pairs: list[Pair], targets: Iterable[Target]) -> str:
    """Markdown: each figure against the better peer of it."""
    lines = [*HEAD, *(_line(target, pairs) for target in targets)]
    wrong = sum(len(pair.result["errors"]) for pair in pairs)
    loads = ", ".join(f"{pair.result['machine']['load_1min']:.1f}" for pair in pairs)
    rounds = "/".join(str(len(pair.result["rounds_a"])) for pair in pairs)
    lines.append(f"\n{rounds} rounds, {wrong} wrong answers, load average at the end {loads}.")
    return "\n".join(lines) + flatness(pairs)
