"""Whatever is done to a sealed log is found, and nothing is found in one that was left alone."""

import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from sharing.audit import verifier
from sharing.audit.proofs import consistency
from sharing.audit.verifier import Signed, Tree, consistent, verify
from tests.audit.tampering import EACH, EVENTS, KINDS, PUBLIC, Log, event, sealed

TIMES = 200


def whole() -> Log:
    """A log that nobody touched."""
    return sealed([event(number) for number in range(1, EVENTS + 1)])


@pytest.mark.parametrize("tamper", KINDS, ids=lambda kind: kind.__name__)
def test_every_tampering_of_what_an_anchor_covers_is_found(
    tamper: Callable[[random.Random, Log], Log], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Logs of one key share most signatures: each is checked once.
    sound = cache(Signed.sound)
    monkeypatch.setattr(Signed, "sound", lambda each, keys: sound(each, tuple(keys)))
    log = whole()
    anchors = [log[1][1], log[1][-1]]
    missed = []
    for seed in range(TIMES):
        rows, heads = tamper(random.Random(f"{tamper.__name__} {seed}"), log)
        if not verify(rows, heads, anchors, [PUBLIC]).findings:
            missed.append(seed)
    assert missed == []


def test_the_verifier_says_what_is_wrong_and_where() -> None:
    """Each check alone: whoever has the database leaves the rest as it should be."""
    rows, heads = whole()
    size = heads[-1].head.size
    shorter = sealed([event(n) for n in range(1, EVENTS - EACH + 1)])
    other = Signed(heads[-1].head, heads[-1].key, "0" * 128)
    stranger = Signed(heads[-1].head, "ab" * 32, heads[-1].signature)
    last = [*heads[:-1], other]
    cases = (
        ("Cut short", verify(*shorter, heads, [PUBLIC])),
        (f"Head {len(heads)}: not signed", verify(rows, last, heads, [PUBLIC])),
        (f"Anchor {len(heads)}: not signed", verify(rows, heads, [stranger], [PUBLIC])),
        ("Place 2: missing", verify([*rows[:2], *rows[3:]], heads, [], [PUBLIC])),
        ("Place 0: the chain", verify([replace(rows[0], chain="")], [], [], [PUBLIC])),
        (f"{size} events have a place", verify(rows[:size], heads[:-1], [], [PUBLIC])),
    )
    for words, report in cases:
        assert any(found.startswith(words) for found in report.findings), words


@pytest.mark.parametrize("waiting", [0, 3])
@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 40])
def test_nothing_is_found_in_untouched_logs(count: int, waiting: int) -> None:
    rows, heads = sealed([event(n) for n in range(1, count + waiting + 1)], EACH, waiting)
    for anchors in ([], heads[:1], heads):
        report = verify(rows, heads, anchors, [PUBLIC])
        assert (report.findings, report.size, report.waiting) == ([], count, waiting)


def test_each_head_continues_each_earlier_one_and_no_other() -> None:
    """RFC 6962 2.1.2: all pairs up to 33 leaves, and each proof fails for another root."""
    leaves = [bytes([n + 1]) * 32 for n in range(33)]

    def root(start: int, end: int) -> bytes:
        tree = Tree()
        for leaf in leaves[start:end]:
            tree.append(leaf)
        return tree.root()

    for second in range(34):
        for first in range(second + 1):
            proof = consistency(first, second, root)
            one, two = root(0, first), root(0, second)
            assert consistent(first, second, one, two, proof)
            if 0 < first < second:
                assert not consistent(first, second, bytes(32), two, proof)
                assert not consistent(first, second, one, bytes(32), proof)
                assert not consistent(first, second, one, two, proof[:-1])
    with pytest.raises(ValueError, match="longer"):
        consistency(2, 1, root)


def test_the_verifier_is_one_file_that_needs_no_django(tmp_path: Path) -> None:
    rows, heads = whole()
    lines = [{"heads": len(heads)}, *(each.line for each in heads), *(row.line for row in rows)]
    log, anchors = tmp_path / "log.ndjson", tmp_path / "heads.ndjson"
    log.write_text("\n".join(verifier.canonical(line).decode() for line in lines))
    anchors.write_text("\n".join(verifier.canonical(each.line).decode() for each in heads))
    tool = tmp_path / "verifier.py"
    tool.write_bytes(Path(verifier.__file__).read_bytes())
    guard = f"import sys; sys.modules['django'] = None; sys.argv = {['verifier']!r} + sys.argv[1:]"
    run = f"{guard}; import runpy; runpy.run_path({str(tool)!r}, run_name='__main__')"

    def code(path: Path) -> int:
        command = [sys.executable, "-c", run, path, "--anchors", anchors, "--key", PUBLIC]
        return subprocess.run(command, cwd=tmp_path, capture_output=True).returncode

    assert code(log) == 0
    log.write_text(log.read_text().replace("Ben 7", "Ben 8"))
    assert code(log) == 1
    assert code(tmp_path / "absent") == 2
