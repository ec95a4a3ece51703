"""Departments and care teams of the own organization: who is in them is asked at each access."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sharing.kernel.errors import BadValue
from sharing.tenants import services
from sharing.tenants.errors import TeamInvalid
from sharing.tenants.rules import Actor, TeamKind
from sharing.tenants.services import Duty

from .doors import actor_of
from .forms.teams import JoinForm, TeamForm
from .organization import frame

KINDS = {
    TeamKind.DEPARTMENT.value: "Department",
    TeamKind.CARE_TEAM.value: "Care team",
    TeamKind.PROJECT.value: "Research project",
}
form_page = require_http_methods(["GET", "HEAD", "POST"])


@form_page
def listing(request: HttpRequest) -> HttpResponse:
    """All of them, with how many people are in each; a new one. Raises NotAllowed."""
    actor = _manager(request)
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.found_team(**form.cleaned_data, by=actor, at=timezone.now())
        except TeamInvalid as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, "Made. Next: who is in it.")
            return redirect("web:team", public_id=made.public_id)
    rows = [
        (team, KINDS.get(team.kind, team.kind), team.members.filter(ended_at=None).count())
        for team in services.teams(organization_id=actor.organization_id)
    ]
    own = services.organization_to_run(actor)
    context = frame(own) | {"rows": rows, "form": form}
    return render(request, "web/teams/list.html", context, status=_status(form))


@form_page
def show(request: HttpRequest, public_id: str) -> HttpResponse:
    """Who is in one of them. Raises NotAllowed, Absent."""
    actor = _manager(request)
    team = services.team_of(actor, public_id=public_id)
    inside = list(team.members.filter(ended_at=None).select_related("user").order_by("user__name"))
    around = {row.user_id: row.user for row in services.members(actor.organization_id)}
    for each in inside:
        around.pop(each.user_id, None)
    form = JoinForm(request.POST or None, people=list(around.values()))
    if request.method == "POST":
        said = _change(request, actor, team, form, inside)
        if said:
            messages.success(request, said)
            if said == ENDED:
                return redirect("web:teams")
            return redirect("web:team", public_id=public_id)
    own = services.organization_to_run(actor)
    context = frame(own)
    context |= {"team": team, "kind": KINDS.get(team.kind, team.kind), "inside": inside}
    context |= {"form": form}
    return render(request, "web/teams/show.html", context, status=_status(form))


ENDED = "The team has ended. What was shared with it is open to nobody by it."


def _change(
    request: HttpRequest, actor: Actor, team: object, form: JoinForm, inside: Sequence[object]
) -> str:
    """Join, leave or end; "" when the form is wrong. Raises BadValue."""
    at, what = timezone.now(), request.POST.get("what", "")
    if what == "end":
        services.end_team(team=team, by=actor, at=at)  # type: ignore[arg-type]
        return ENDED
    if what == "leave":
        gone = next((m for m in inside if m.user.public_id == request.POST.get("person")), None)  # type: ignore[attr-defined]
        if gone is None:
            raise BadValue("Choose somebody who is in it.")
        services.leave_team(team=team, user=gone.user, by=actor, at=at)  # type: ignore[attr-defined, arg-type]
        return "Taken out. It holds with the next request."
    if not form.is_valid():
        return ""
    services.join_team(team=team, user=form.person, by=actor, at=at)  # type: ignore[arg-type]
    return "Added. It holds with the next request."


def _manager(request: HttpRequest) -> Actor:
    actor = actor_of(request)
    services.require(actor, Duty.MANAGE_TEAMS)
    return actor


def _status(form: TeamForm | JoinForm) -> int:
    return 422 if form.is_bound and form.errors else 200
