"""`manage.py organization suspend riverside --as nora@exchange.example --why "An audit."`

Every step of an organization's life, for scripts. Who acts is named and must be allowed to, as on
the pages; that they proved themselves is for the machine that this runs on.
"""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from sharing.kernel.errors import DomainError
from sharing.office import services as office
from sharing.office.management.named import actor_named, organization_of
from sharing.tenants import services, terms
from sharing.tenants.devices import devices_in
from sharing.tenants.models import Organization
from sharing.tenants.rules import Actor

Step = Callable[[Organization, Actor, datetime, dict[str, Any]], str]


def _decided(verb: str) -> Step:
    def step(own: Organization, by: Actor, at: datetime, said: dict[str, Any]) -> str:
        getattr(services, verb)(organization=own, why=said["why"], by=by, at=at)
        return verb

    return step


def _accept(own: Organization, by: Actor, at: datetime, said: dict[str, Any]) -> str:
    why = said["why"] or "The documents are in order."
    services.accept_documents(organization=own, by=by, at=at, why=why)
    return "accepted"


def _refuse(own: Organization, by: Actor, at: datetime, said: dict[str, Any]) -> str:
    services.refuse(organization=own, reason=said["why"], by=by, at=at)
    return "refused"


def _ask(own: Organization, by: Actor, at: datetime, said: dict[str, Any]) -> str:
    services.ask(organization=own, question=said["why"], by=by, at=at)
    return "asked"


def _sign(own: Organization, by: Actor, at: datetime, said: dict[str, Any]) -> str:
    name, function = said["signed_by"], said["function"]
    services.sign_terms(signed_by=name, function=function, sha256=terms.SHA256, by=by, at=at)
    return "signed"


def _test(own: Organization, by: Actor, at: datetime, said: dict[str, Any]) -> str:
    test = office.run_test(test_id=office.ask_test(by=by, at=at).pk, at=at)
    lines = [f"{r.verdict:8} {r.label}: {r.said} {r.todo}".rstrip() for r in test.told]
    if not test.passed:
        raise CommandError("\n".join(lines))
    return "\n".join(lines)


def _quota(own: Organization, by: Actor, at: datetime, said: dict[str, Any]) -> str:
    gigabytes = said["gigabytes"]
    quota = None if gigabytes is None else gigabytes * 10**9
    services.set_quota(organization=own, quota=quota, by=by, at=at)
    return "set"


def _profile(own: Organization, by: Actor, at: datetime, said: dict[str, Any]) -> str:
    known = services.profile_of(own)
    changes = dict(pair.split("=", 1) for pair in said["set"])
    if not set(changes) <= set(asdict(known)):
        raise CommandError("Fields: " + ", ".join(asdict(known)))
    read: dict[str, Any] = {name: _read(name, value) for name, value in changes.items()}
    changed = services.set_profile(profile=replace(known, **read), by=by, at=at)
    return ", ".join(changed) or "nothing differs"


def _read(name: str, value: str) -> Any:
    if name == "languages":
        return [word for word in value.split(",") if word]
    return (int(value) if value else None) if name == "retention_years" else value


def _devices(own: Organization, by: Actor, at: datetime, said: dict[str, Any]) -> str:
    services.set_devices(devices=devices_in("\n".join(said["set"])), by=by, at=at)
    return "set"


def _stay(own: Organization, by: Actor, at: datetime, said: dict[str, Any]) -> str:
    office.stay(organization=own, why=said["why"], by=by, at=at)
    return "stays"


def _close(own: Organization, by: Actor, at: datetime, said: dict[str, Any]) -> str:
    found = office.leaving_of(own.pk)
    if found is None or found.asked_at is None:
        office.ask_closing(organization=own, by=by, at=at)
        return "asked for; a second person confirms by the same command"
    office.confirm_closing(organization=own, by=by, at=at)
    return "confirmed"


def _export(own: Organization, by: Actor, at: datetime, said: dict[str, Any]) -> str:
    services.require(by, services.Duty.APPROVE_ORGANIZATIONS)
    found = office.export(organization_id=own.pk, at=at)
    if found is None:
        raise CommandError("It does not leave.")
    return f"{found.folder}: {found.files} files, SHA256SUMS {found.manifest_sha256}"


STEPS: dict[str, Step] = {
    "ask": _ask,
    "accept": _accept,
    "refuse": _refuse,
    "sign": _sign,
    "test": _test,
    "untested": _decided("go_untested"),
    "activate": _decided("activate"),
    "suspend": _decided("suspend"),
    "resume": _decided("resume"),
    "offboard": _decided("offboard"),
    "stay": _stay,
    "export": _export,
    "close": _close,
    "quota": _quota,
    "profile": _profile,
    "devices": _devices,
}


class Command(BaseCommand):
    """Takes one step, or shows the history."""

    help = "An organization's life: " + ", ".join(["list", "history", *STEPS])

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What, of whom, by whom, why."""
        parser.add_argument("step", choices=["list", "history", *STEPS])
        parser.add_argument("code", nargs="?", default="")
        parser.add_argument("--as", dest="by", default="", help="e-mail of who decides")
        parser.add_argument("--why", default="")
        parser.add_argument("--signed-by", default="")
        parser.add_argument("--function", default="")
        parser.add_argument("--gigabytes", type=int)
        parser.add_argument("--set", nargs="*", default=[], help="field=value, or AE[@host:port]")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for what the pages would refuse, too."""
        if options["step"] == "list":
            for each in Organization.objects.order_by("code"):
                self.stdout.write(f"{each.code:24} {each.state:12} {each.name}")
            return
        own = organization_of(options["code"])
        if options["step"] == "history":
            self._tell(own)
            return
        try:
            by = actor_named(options["by"], own)
            said = STEPS[options["step"]](own, by, timezone.now(), options)
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(said)

    def _tell(self, own: Organization) -> None:
        for each in services.history(own.pk):
            line = {"at": each.at.isoformat(), "event": each.event, "after": each.after}
            line |= {"by": each.by_name, "why": each.reason}
            self.stdout.write(json.dumps(line, ensure_ascii=False))
