"""The texts that patients are shown, by version and hash, for who runs an organization."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sharing.consent.texts import LANGUAGES, newest, published
from sharing.tenants import services

from .doors import actor_of
from .organization import frame

KINDS = {  # key of a text -> when it is shown
    "permit": "A permit",
    "refuse": "A refusal",
    "exclude": "The exclusion of a person",
    "opt_out": "A refusal of all sharing",
    "withdraw": "A withdrawal",
    "paper": "Paper and speech",
    "phone": "The phone’s own pages",
    "words": "Words within the others",
}


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """What is shown from now on, in each language. Raises NotAllowed."""
    actor = actor_of(request)
    own = services.organization_to_run(actor)
    keys = dict.fromkeys(file.partition("/")[0] for file in sorted(published()))
    rows = [
        (KINDS.get(key, key), newest(key, language), LANGUAGES[language])
        for key in keys
        for language in LANGUAGES
        if f"{newest(key, 'en').name}.{language}.toml" in published()
    ]
    context = frame(own) | {"rows": rows}
    return render(request, "web/organization/texts.html", context)
