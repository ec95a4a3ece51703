"""Our DICOMweb against a peer's, on the same work in the same run (bench/README.md).

Ours is the whole portal as `manage.py serve` runs it, in a folder of its own, with a token that
`manage.py token` issued: authorization and access log are on, and nothing is told that it is being
measured. Peer and portal start with empty databases, once for each pair of them.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import figures, orthanc
from bench.figures import Pair
from tests import live

README = Path(__file__).with_name("README.md")
REST_SECONDS = 5  # what one side left for the disk to do is done before the other begins
FOUND = (
    "from django.utils import timezone; from sharing.demo.people import found_region; "
    "found_region(password='bench-' + 'only' * 3, at=timezone.now())"
)
Peers = list[Callable[[], contextlib.AbstractContextManager[orthanc.Peer]]]


def arguments() -> argparse.ArgumentParser:
    """What can be said on the command line."""
    parser = argparse.ArgumentParser(prog="bench dicomweb", description=__doc__)
    parser.add_argument("--script", default=os.environ.get("DICOMWEB_BENCH"))
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=URL")
    parser.add_argument("--orthanc", action="append", default=[], type=Path, metavar="ROOT")
    parser.add_argument("--port", type=int, default=8042, help="of the Orthanc that is started")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--studies", type=int, default=4)
    parser.add_argument("--slices", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--fill", type=int, default=0, help="one-image studies, then searches")
    parser.add_argument("--keep", type=Path, help="folder for the benchmark's own result files")
    parser.add_argument("--readme", action="store_true", help="put the table into bench/README.md")
    return parser


@contextlib.contextmanager
def portal(folder: Path) -> Iterator[tuple[live.LivePortal, str]]:
    """The served portal with the region founded, and a token of one of its hospitals."""
    running = live.start(folder, LOG_LEVEL="WARNING")
    try:
        running.manage("shell", "--no-imports", "-c", FOUND)
        scopes = ("--scope", "dicomweb.read", "--scope", "dicomweb.write")
        token = running.manage("token", "--organization", "riverside", *scopes).strip()
        yield running, token
    finally:
        live.stop(running)


def command(options: argparse.Namespace, peer: orthanc.Peer, ours: live.LivePortal) -> list[str]:
    """The benchmark's command line, without the token."""
    given = [
        *(sys.executable, options.script, "--pair", peer.url, f"{ours.url}/dicomweb"),
        *("--pid-b", str(ours.process.pid), "--rounds", str(options.rounds)),
        *("--studies", str(options.studies), "--slices", str(options.slices)),
        *("--seconds", str(options.seconds)),
    ]
    if peer.pid:
        given += ["--pid", str(peer.pid)]
    return [*given, "--fill", str(options.fill)] if options.fill else given


def measure(options: argparse.Namespace, peer: orthanc.Peer) -> Pair:
    """One run: a fresh portal, this peer, all rounds. Wrong answers end up in the table."""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        with portal(folder / "portal") as (ours, token):
            out = folder / "pair.json"
            time.sleep(REST_SECONDS)
            header = ("--header-b", f"Authorization: Bearer {token}")
            subprocess.run([*command(options, peer, ours), *header, "--out", str(out)], check=False)
            if not out.exists():
                raise SystemExit("The benchmark wrote no result.\n" + ours.log()[-3000:])
        _keep(options.keep, peer, out)
        return Pair(peer.name, json.loads(out.read_text()))
    finally:
        shutil.rmtree(folder)


def _keep(folder: Path | None, peer: orthanc.Peer, out: Path) -> None:
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(out, folder / f"{peer.name.replace(' ', '-')}-{int(time.time())}.json")


def peers(options: argparse.Namespace) -> Peers:
    """Those that run already (their owner has emptied them), and those to be started."""
    found: Peers = []
    for text in options.peer:
        name, _, url = text.rpartition("=")
        peer = orthanc.Peer(name or "peer", url, 0)
        found.append(lambda p=peer: contextlib.nullcontext(p))
    for number, root in enumerate(options.orthanc):
        found.append(lambda r=root, n=number: orthanc.running(r.resolve(), options.port + n))
    return found


def into_readme(text: str, *, large: bool) -> None:
    """Replace the table between the two marks."""
    mark = "large" if large else "small"
    begin, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->"
    before, _, rest = README.read_text().partition(begin)
    README.write_text(f"{before}{begin}\n{text}\n\n{end}{rest.partition(end)[2]}")


def main() -> int:
    """0: all answers were right, whatever the figures; 1: some were wrong."""
    options = arguments().parse_args()
    if not options.script or not Path(options.script).exists():
        raise SystemExit("Say where dicomweb_bench.py is: --script PATH or DICOMWEB_BENCH=PATH.")
    chosen = peers(options)
    if not chosen:
        raise SystemExit("Say whom to measure against: --orthanc ROOT or --peer NAME=URL.")
    pairs = []
    for start in chosen:
        with start() as peer:
            pairs.append(measure(options, peer))
    text = figures.table(pairs, figures.LARGE if options.fill else figures.SMALL)
    print(f"\n{text}")
    if options.readme:
        into_readme(text, large=bool(options.fill))
    return 1 if any(pair.result["errors"] for pair in pairs) else 0


if __name__ == "__main__":
    sys.exit(main())
