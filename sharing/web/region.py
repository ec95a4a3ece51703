"""What holds in the region: the operator decides, an organization may only be stricter."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sharing.archive.services.labelling import how_many_open
from sharing.tenants import services
from sharing.tenants.errors import PolicyWidens, SettingsInvalid
from sharing.tenants.rules import RegionSettings
from sharing.tenants.services import Duty

from . import words
from .doors import actor_of
from .forms.region import POLICIES, PolicyForm, RegionForm

form_page = require_http_methods(["GET", "HEAD", "POST"])


@form_page
def settings(request: HttpRequest) -> HttpResponse:
    """All settings; they are saved only after their effect was shown. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    services.require(actor, Duty.SET_REGION)
    now = services.region_settings()
    form = RegionForm(request.POST or None, initial=asdict(now))
    effects: list[tuple[str, str]] = []
    if request.method == "POST" and form.is_valid():
        wanted = form.settings
        effects = list(effects_of(now, wanted))
        seen = form.cleaned_data["seen"] == _mark(now, wanted)
        if not effects:
            form.add_error(None, "Nothing differs from what holds now.")
        elif seen and now.widened_by(wanted) and not form.cleaned_data["understood"]:
            form.add_error("understood", "Say that you know what this opens.")
        elif seen:
            try:
                services.set_region(settings=wanted, by=actor, at=at)
            except SettingsInvalid as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, "Saved. It holds with the next request.")
                return redirect("web:region")
        form.data = {**form.data.dict(), "seen": _mark(now, wanted)}  # type: ignore[attr-defined]
    context = {
        "form": form,
        "effects": effects,
        "opens": bool(effects) and now.widened_by(form.settings),
        "stricter": _stricter(),
        "chosen": form["policy"].value(),
    }
    return render(request, "web/region/settings.html", context, status=_status(form))


@form_page
def policy(request: HttpRequest) -> HttpResponse:
    """What holds at the own organization. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    services.require(actor, Duty.SET_POLICY)
    common = services.region_settings().policy
    own = services.own_policy(actor)
    form = PolicyForm(request.POST or None, common=common, initial={"policy": own or ""})
    if request.method == "POST" and form.is_valid():
        try:
            services.set_organization_policy(policy=form.chosen, by=actor, at=at)
        except PolicyWidens as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Saved. It holds with the next request.")
            return redirect("web:own-policy")
    context = {"form": form, "common": POLICIES[common], "chosen": form["policy"].value() or ""}
    return render(request, "web/region/policy.html", context, status=_status(form))


def effects_of(now: RegionSettings, wanted: RegionSettings) -> Iterator[tuple[str, str]]:
    """(opens, closes or changes; one sentence) for each setting that differs."""
    opened = now.widened_by(wanted)
    if now.policy != wanted.policy:
        yield _of_policy(wanted, "policy" in opened)
    if wanted.implied and not now.implied:
        yield "opens", "A referral, a consult or a transfer on file opens without a consent."
    if now.implied and not wanted.implied:
        yield "closes", "Referrals, consults and transfers open nothing any more."
    if now.agreements != wanted.agreements:
        yield _of_agreements(wanted)
    if now.majority != wanted.majority:
        yield "changes", f"Patients speak for themselves from {wanted.majority} on."
    yield from _of_emergencies(now, wanted)


def _of_policy(wanted: RegionSettings, opens: bool) -> tuple[str, str]:
    name, more = POLICIES[wanted.policy]
    if not opens:
        return "closes", f"{name}: {more} What only the rule opened closes at the next request."
    plain, labelled = how_many_open(wanted.policy)
    held = f"{words.span(labelled, 'study', 'studies')} with a label"
    stay = f"{held} stays closed." if labelled == 1 else f"{held} stay closed."
    return "opens", f"{name}: {more} That is {words.span(plain, 'study', 'studies')} now; {stay}"


def _of_agreements(wanted: RegionSettings) -> tuple[str, str]:
    if not wanted.agreements:
        return "opens", "Consents and shares open studies between organizations without agreement."
    signed = words.span(services.agreements_in_force(at=timezone.now()), "agreement")
    held = f"Between organizations nothing opens without an agreement. {signed} in force now."
    return "closes", f"{held} Emergencies and links are held to it, too."


def _of_emergencies(now: RegionSettings, wanted: RegionSettings) -> Iterator[tuple[str, str]]:
    if now.emergency_hours != wanted.emergency_hours:
        span = words.span(wanted.emergency_hours, "hour")
        yield "changes", f"New emergency accesses last {span} at most."
    if now.review_days != wanted.review_days:
        span = words.span(wanted.review_days, "working day")
        yield "changes", f"New emergency accesses are reviewed within {span}."
    if now.emergencies_a_day != wanted.emergencies_a_day:
        span = words.span(wanted.emergencies_a_day, "time")
        yield "changes", f"One person may use emergency access {span} in a day."


def _stricter() -> list[tuple[Any, str]]:
    """The organizations that decided for themselves, and what they said."""
    return [
        (each, POLICIES[each.own_policy][0])
        for each in services.organization_options(without=0)
        if each.own_policy is not None
    ]


def _mark(now: RegionSettings, wanted: RegionSettings) -> str:
    """Names what was shown, so that nothing else is saved."""
    return hashlib.sha256(repr((now, wanted)).encode()).hexdigest()[:24]


def _status(form: Any) -> int:
    return 422 if form.is_bound and form.errors else 200
