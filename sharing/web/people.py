"""The people of an organization: who they are, inviting them, ending roles, and their beginning."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from sharing.kernel.errors import Absent
from sharing.tenants import services
from sharing.tenants.errors import LastAdministrator, LinkInvalid
from sharing.tenants.services import Actor, Duty, Role

from .doors import actor_of
from .forms.people import ROLES, InviteForm, WelcomeForm
from .joining import link_over
from .posts import CHIPS

GONE = {"deactivated", "withdrawn"}
form_page = require_http_methods(["GET", "HEAD", "POST"])


@dataclass
class Line:
    """One line of the list: a post and the roles that it has now."""

    post: Any
    chip: tuple[str, str, str]
    due: bool
    roles: list[Role] = field(default_factory=list)
    letter: Any = None


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Everybody with a role here, and who is invited."""
    actor, at = _administrator(request), timezone.now()
    gone = request.GET.get("gone") == "1"
    due = set(services.posts_due(actor, at=at).values_list("pk", flat=True))
    lines = {
        post.user_id or -post.pk: Line(post, CHIPS[post.state], post.pk in due)
        for post in services.posts(actor)
        if (post.state in GONE) == gone
    }
    for member in services.members(actor.organization_id):
        if member.user_id in lines:
            lines[member.user_id].roles.append(Role(member.role))
    invited = {
        letter.email: (letter, [Role(role).words for role in letter.roles])
        for letter in services.open_invitations(actor.organization_id, at=at)
    }
    for line in lines.values():
        line.letter = invited.get(line.post.email)
    context = {"lines": list(lines.values()), "roles": ROLES, "gone": gone, "due": len(due)}
    return render(request, "web/people/list.html", context)


@form_page
def invite(request: HttpRequest) -> HttpResponse:
    """Invite one person."""
    actor = _administrator(request)
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.invite(**form.cleaned_data, by=actor, at=timezone.now())
        messages.success(request, f"The invitation of {form.cleaned_data['name']} is on its way.")
        return redirect("web:people")
    status = 422 if form.is_bound else 200
    context = {"form": form, "roles": ROLES}
    return render(request, "web/people/invite.html", context, status=status)


@form_page
def end(request: HttpRequest, membership_id: int) -> HttpResponse:
    """End one role of one person, named and confirmed."""
    actor = _administrator(request)
    member = services.members(actor.organization_id).filter(pk=membership_id).first()
    if member is None:
        raise Absent()
    role = Role(member.role)
    if request.method == "POST":
        try:
            services.end_membership(membership=member, by=actor, at=timezone.now())
        except LastAdministrator as error:
            messages.error(request, str(error))
        else:
            said = f"{member.user.name} is not {role.words.lower()} here any more."
            messages.success(request, said)
        return redirect("web:people")
    context = {"member": member, "role": role, "myself": member.user_id == actor.user_id}
    return render(request, "web/people/end.html", context)


@never_cache
@sensitive_post_parameters("password", "again")
@form_page
def accept(request: HttpRequest, secret: str) -> HttpResponse:
    """Take an invitation up: name and password for a new address, one button for a known one."""
    at = timezone.now()
    try:
        letter = services.invitation(secret=secret, at=at)
        known = services.has_account(email=letter.email)
        form = _welcome_form(request, letter)
        if request.method == "POST" and (known or form.is_valid()):
            name, password = ("", None) if known else _given(form)
            services.accept_invitation(secret=secret, name=name, password=password, at=at)
            messages.success(request, f"You belong to {letter.organization.name}. Sign in.")
            return redirect("account_login")
    except LinkInvalid:
        return link_over(request)
    context = {"letter": letter, "known": known, "form": form}
    context["roles"] = [Role(role).words for role in letter.roles]
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "web/people/welcome.html", context, status=status)


def _welcome_form(request: HttpRequest, letter: Any) -> WelcomeForm:
    if request.method == "POST":
        return WelcomeForm(request.POST, email=letter.email)
    return WelcomeForm(initial={"name": letter.name}, email=letter.email)


def _given(form: WelcomeForm) -> tuple[str, str]:
    return form.cleaned_data["name"], form.cleaned_data["password"]


def _administrator(request: HttpRequest) -> Actor:
    actor = actor_of(request)
    services.require(actor, Duty.MANAGE_MEMBERS)
    return actor
