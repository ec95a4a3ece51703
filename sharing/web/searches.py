"""Keeping a search of the list of studies under a name, and forgetting it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from sharing.archive.services.remembering import forget_search, save_search

from .doors import actor_of
from .forms.searches import SaveSearchForm
from .studies import kept


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keeps what narrows the list now, under the name that was typed; then the list again."""
    actor, form = actor_of(request), SaveSearchForm(request.POST)
    query = kept(QueryDict(form.data.get("query", "")[:1000]))
    if form.is_valid() and query:
        name = form.cleaned_data["name"]
        save_search(name=name, query=query, by=actor, at=timezone.now())
        messages.success(request, "The search is saved.")
    else:
        messages.error(request, "Nothing was saved. Set a filter, and name the search on one line.")
    return redirect(f"{reverse('web:studies')}?{query}")


@require_POST
def forget(request: HttpRequest, public_id: str) -> HttpResponse:
    """Deletes one saved search; then the list."""
    forget_search(public_id=public_id, by=actor_of(request))
    messages.success(request, "The saved search is deleted.")
    return redirect("web:studies")
