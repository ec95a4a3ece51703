"""The command line: `imaging-sharing login | studies | upload FOLDER | share | watch`."""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from .clients import Client
from .errors import PortalError
from .models import Progress, Study

COLUMNS = "{:<24}{:<12}{:<8}{:<28}{}"


def main(given: Sequence[str] | None = None) -> int:
    """0 when it was done, 1 when the portal said no, 2 for a wrong command."""
    asked = _parser().parse_args(given)
    try:
        return int(asked.run(asked))
    except PortalError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="imaging-sharing", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    login = commands.add_parser("login", help="keep the portal's address and a token")
    login.add_argument("url")
    login.set_defaults(run=_login)
    studies = commands.add_parser("studies", help="list the studies in sight")
    studies.add_argument("-q", default="", help="name, patient ID or accession number")
    studies.add_argument("--modality", default="")
    studies.add_argument("--json", action="store_true", help="one JSON object a line")
    studies.set_defaults(run=_studies)
    upload = commands.add_parser("upload", help="send a folder of DICOM files")
    upload.add_argument("folder", type=Path)
    upload.set_defaults(run=_upload)
    _add_share(commands)
    watch = commands.add_parser("watch", help="name studies as they come into sight")
    watch.add_argument("--every", type=float, default=10.0, metavar="SECONDS")
    watch.add_argument("--most", type=int, default=0, help="end after so many")
    watch.add_argument("--json", action="store_true", help="one JSON object a line")
    watch.set_defaults(run=_watch)
    return parser


def _add_share(commands: Any) -> None:
    share = commands.add_parser("share", help="share studies with an organization")
    share.add_argument("studies", nargs="+", help="ids of studies")
    share.add_argument("--to", required=True, help="code of the organization")
    share.add_argument("--days", type=int, default=30)
    share.add_argument("--may", default="images", choices=("report", "images", "download", "send"))
    share.add_argument("--note", default="")
    share.set_defaults(run=_share)


# --- commands -------------------------------------------------------------------------------------
def _login(asked: argparse.Namespace) -> int:
    """The token is asked for or read from a pipe: on the command line others could read it."""
    piped = not sys.stdin.isatty()
    token = sys.stdin.readline().strip() if piped else getpass.getpass("Token: ")
    with Client(asked.url, token) as client:
        me = client.me()
    keep(asked.url, token)
    sys.stdout.write(f"You are {me.name} of {me.organization_name}.\n")
    return 0


def _studies(asked: argparse.Namespace) -> int:
    wanted = {"q": asked.q, "modality": asked.modality}
    with client() as portal:
        for each in portal.studies(**{name: value for name, value in wanted.items() if value}):
            _say(each, asked.json)
    return 0


def _upload(asked: argparse.Namespace) -> int:
    with client() as portal:
        receipt = portal.upload(asked.folder, told=_bar if sys.stderr.isatty() else None)
    sys.stdout.write(
        f"{receipt.sent} sent: {receipt.stored} stored, {receipt.duplicates} known already, "
        f"{receipt.conflicts} in conflict, {receipt.rejected} rejected, {receipt.ignored} ignored\n"
    )
    for item in receipt.items:
        if item["outcome"] not in ("stored", "duplicate", "ignored"):
            sys.stdout.write(f"  {item['name']}: {item['reason']}\n")
    return 1 if receipt.conflicts or receipt.rejected else 0


def _share(asked: argparse.Namespace) -> int:
    last = datetime.now(UTC).date() + timedelta(days=asked.days)
    until = datetime.combine(last, time(23, 59, 59), UTC)
    with client() as portal:
        made = portal.share(asked.studies, to=asked.to, until=until, may=asked.may, note=asked.note)
    sys.stdout.write(f"Shared until {last:%d %b %Y}: {made.id}\n")
    return 0


def _watch(asked: argparse.Namespace) -> int:
    with client() as portal:
        for number, each in enumerate(portal.watch(every=asked.every), start=1):
            _say(each, asked.json)
            if number == asked.most:
                break
    return 0


def _say(study: Study, as_json: bool) -> None:
    if as_json:
        told = {"id": study.id, "study_uid": study.study_uid, "custodian": study.custodian.code}
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        kinds, day = "/".join(study.modalities), study.study_date or "no date"
        sys.stdout.write(
            COLUMNS.format(study.id, day, kinds[:7], study.custodian.name[:27], study.description)
            + "\n"
        )
    sys.stdout.flush()


def _bar(progress: Progress) -> None:
    share = progress.bytes_done / progress.bytes if progress.bytes else 1.0
    sys.stderr.write(f"\r{share:6.1%}  {progress.files_done} of {progress.files} files")
    sys.stderr.write("\n" if progress.files_done == progress.files else "")


# --- what is kept ---------------------------------------------------------------------------------
def kept() -> Path:
    """Where the address and the token are kept: readable by their owner alone."""
    folder = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(folder) / "imaging-sharing" / "login.json"


def keep(url: str, token: str) -> None:
    """Never readable by others, not even for a moment."""
    path = kept()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"url": url, "token": token}, file)
    draft.replace(path)


def client() -> Client:
    """The client of who signed in; IMAGING_SHARING_URL and _TOKEN go before what is kept."""
    url, token = os.environ.get("IMAGING_SHARING_URL"), os.environ.get("IMAGING_SHARING_TOKEN")
    if url and token:
        return Client(url, token)
    try:
        told = json.loads(kept().read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PortalError("Sign in first: imaging-sharing login https://portal.example") from None
    return Client(told["url"], told["token"])


if __name__ == "__main__":
    sys.exit(main())
