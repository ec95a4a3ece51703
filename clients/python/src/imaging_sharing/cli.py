"""The command line: `imaging-sharing login | studies | upload FOLDER | share | watch`."""

import argparse
import getpass
import json
import sys
import webbrowser
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from . import kept
from .browsing import sign_in
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
    _add_login(commands)
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


def _add_login(commands: Any) -> None:
    login = commands.add_parser("login", help="sign in, and keep that for the other commands")
    login.add_argument("url")
    login.add_argument("--client", default="", help="id of a client: a person signs in by browser")
    way = login.add_mutually_exclusive_group()
    way.add_argument("--machine", action="store_true", help="the client has a secret: asked for")
    way.add_argument("--key", default="", metavar="FILE", help="the client signs: a private JWK")
    login.add_argument("--scope", action="append", default=[], help="less than the client has")
    login.set_defaults(run=_login)


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
    """By a token, as a machine, or as a person; kept when the portal said who it is."""
    if (asked.machine or asked.key or asked.scope) and not asked.client:
        raise PortalError("Name the client: --client ID")
    told = _signed_in(asked)
    with Client(asked.url, kept.tokens_of(told, stored=False)) as client:
        me = client.me()
    kept.keep(told)
    sys.stdout.write(f"You are {me.name} of {me.organization_name}.\n")
    return 0


def _signed_in(asked: argparse.Namespace) -> dict[str, Any]:
    """What is to be kept of each way in."""
    told = {"url": asked.url, "client": asked.client, "scopes": " ".join(asked.scope)}
    if not asked.client:
        return {"url": asked.url, "token": _secret("Token: ")}
    if asked.machine:
        return told | {"secret": _secret("Secret: ")}
    if asked.key:
        return told | {"key": str(Path(asked.key).resolve())}
    return told | sign_in(asked.url, asked.client, scopes=told["scopes"], opened=_open).told()


def _secret(asked: str) -> str:
    """Asked for or read from a pipe: on the command line others could read it."""
    return getpass.getpass(asked) if sys.stdin.isatty() else sys.stdin.readline().strip()


def _open(address: str) -> None:
    sys.stderr.write(f"Sign in at {address}\n")
    sys.stderr.flush()
    webbrowser.open(address)


def _studies(asked: argparse.Namespace) -> int:
    wanted = {"q": asked.q, "modality": asked.modality}
    with kept.client() as portal:
        for each in portal.studies(**{name: value for name, value in wanted.items() if value}):
            _say(each, asked.json)
    return 0


def _upload(asked: argparse.Namespace) -> int:
    with kept.client() as portal:
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
    with kept.client() as portal:
        made = portal.share(asked.studies, to=asked.to, until=until, may=asked.may, note=asked.note)
    sys.stdout.write(f"Shared until {last:%d %b %Y}: {made.id}\n")
    return 0


def _watch(asked: argparse.Namespace) -> int:
    with kept.client() as portal:
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


if __name__ == "__main__":
    sys.exit(main())
