"""`manage.py people invite riverside --as ines@riverside.example --email nia@riverside.example ...`

The people of an organization, for scripts: by somebody who may, as on the pages.
"""

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from sharing.kernel.errors import DomainError
from sharing.office.management.named import actor_named, organization_of
from sharing.tenants import services
from sharing.tenants.models import Organization, Post
from sharing.tenants.rules import Actor, Role

MOVES: dict[str, Callable[..., Any]] = {
    "withdraw": services.withdraw_invitation,
    "leave": services.send_on_leave,
    "return": services.bring_back,
    "confirm": services.confirm_post,
    "deactivate": services.deactivate,
    "check-licence": services.check_licence,
}
STEPS = ["list", "invite", "licence", "end-role", *MOVES]


class Command(BaseCommand):
    """Invites a person, moves a post, or lists all."""

    help = "The people of an organization: " + ", ".join(STEPS)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What, where, by whom, and about whom."""
        parser.add_argument("step", choices=STEPS)
        parser.add_argument("code")
        parser.add_argument("--as", dest="by", default="", help="e-mail of who decides")
        parser.add_argument("--email", default="", help="whom it is about")
        parser.add_argument("--name", default="")
        parser.add_argument("--licence", default="")
        parser.add_argument("--authority", default="")
        parser.add_argument("--roles", nargs="*", default=[], choices=[role.value for role in Role])

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for what the pages would refuse, too."""
        own = organization_of(options["code"])
        if options["step"] == "list":
            self._list(own)
            return
        try:
            by = actor_named(options["by"], own)
            if by.organization_id != own.pk:
                raise CommandError("They do not act for this organization (--as).")
            self._do(own, by, timezone.now(), options)
        except DomainError as error:
            raise CommandError(str(error)) from error

    def _list(self, own: Organization) -> None:
        for post in Post.objects.filter(organization=own).order_by("email"):
            self.stdout.write(f"{post.email:40} {post.state:12} {post.name}")

    def _do(self, own: Organization, by: Actor, at: datetime, said: dict[str, Any]) -> None:
        if said["step"] == "invite":
            roles = [Role(role) for role in said["roles"]]
            services.invite(email=said["email"], name=said["name"], roles=roles, by=by, at=at)
            self.stdout.write("invited")
        elif said["step"] == "end-role":
            held = services.members(own.pk).filter(user__email=said["email"].lower())
            for row in held.filter(role__in=said["roles"]):
                services.end_membership(membership=row, by=by, at=at)
                self.stdout.write(f"ended {row.role}")
        else:
            self._move(own, by, at, said)

    def _move(self, own: Organization, by: Actor, at: datetime, said: dict[str, Any]) -> None:
        posts = Post.objects.filter(organization=own, email=said["email"].lower())
        post = posts.order_by("-pk").first()
        if post is None:
            raise CommandError("Nobody with this address is there (--email).")
        if said["step"] == "licence":
            number, authority = said["licence"], said["authority"]
            services.state_licence(post=post, number=number, authority=authority, by=by, at=at)
            self.stdout.write("recorded")
            return
        self.stdout.write(str(MOVES[said["step"]](post=post, by=by, at=at).state))
