"""What a person was told: one line each, with the way to what it is about."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from sharing.notify import services
from sharing.notify.wishes import choose, quiet_of, ways_of
from sharing.tenants.errors import NotAllowed

from .doors import actor_of
from .forms.wishes import WishesForm

ROWS = 25
ICONS = {
    "shared": "share",
    "revoked": "shield-x",
    "recall": "arrow-counterclockwise",
    "application": "buildings",
}


@require_http_methods(["GET", "HEAD", "POST"])
def listing(request: HttpRequest) -> HttpResponse:
    """The notices, newest first; POST marks all as read."""
    actor = actor_of(request)
    if request.method == "POST":
        services.mark_all_read(by=actor, at=timezone.now())
        return redirect("web:notices")
    page = Paginator(services.notices_for(actor), ROWS).get_page(request.GET.get("page"))
    rows = [(notice, ICONS.get(notice.kind, "bell")) for notice in page]
    context = {"rows": rows, "page": page, "unread": services.unread_count(actor)}
    return render(request, "web/notices/list.html", context)


@require_safe
def bell(request: HttpRequest) -> HttpResponse:
    """How many are new, for the bell of an open page; 204 where it knows that already."""
    count = services.unread_count(actor_of(request))
    if request.GET.get("known") == str(count):
        return HttpResponse(status=204)
    return render(request, "components/bell.html", {"notices_count": count})


@require_safe
def show(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Marks it read and leads to what it is about."""
    notice = services.mark_read(notice_id=notice_id, by=actor_of(request), at=timezone.now())
    return redirect(notice.link or "web:notices")


@require_http_methods(["GET", "HEAD", "POST"])
def wishes(request: HttpRequest) -> HttpResponse:
    """How the person wants to be told by e-mail; what is chosen holds for what comes next."""
    actor = actor_of(request)
    if actor.user_id is None:
        raise NotAllowed()
    form = WishesForm(
        request.POST or None,
        ways=ways_of(actor.user_id, actor.organization_id),
        quiet=quiet_of(actor.user_id),
    )
    if form.is_valid():
        choose(by=actor, ways=form.ways(), quiet=form.quiet())
        messages.success(request, "Saved. It holds for what comes now.")
        return redirect("web:notices")
    return render(request, "web/notices/wishes.html", {"form": form})
