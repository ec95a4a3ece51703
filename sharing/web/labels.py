"""Sensitivity labels: on a study, and the rules that set them."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sharing.archive.errors import LabelInvalid, LabelNotFound
from sharing.archive.services.label_rules import (
    end_rule,
    foresee_rule,
    label_rules,
    make_rule,
    may_change,
)
from sharing.archive.services.labels import add_label, labels_of, lift_label, study_to_label
from sharing.dicom.regions import BodyRegion
from sharing.kernel.sensitivity import Label
from sharing.tenants.services import Actor, Duty, policy_for, require

from . import present
from .doors import actor_of
from .forms.labels import LabelForm, RuleForm
from .forms.region import POLICIES
from .forms.removal import WordsForm
from .wording import and_list, modality_word

form_page = require_http_methods(["GET", "HEAD", "POST"])


@form_page
def of_study(request: HttpRequest, public_id: str) -> HttpResponse:
    """All labels of an own study with their sources, and a new one.

    Raises NotAllowed, StudyNotFound.
    """
    actor, at = actor_of(request), timezone.now()
    study = study_to_label(actor, public_id=public_id, at=at)
    rows = labels_of(study)
    form = LabelForm(
        request.POST or None, without={row.label for row in rows if row.lifted_at is None}
    )
    if request.method == "POST" and form.is_valid():
        label, why = form.chosen, form.cleaned_data["words"]
        try:
            add_label(actor, public_id=public_id, label=label, reason=why, at=at)
        except LabelInvalid as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"The study is labelled: {label.words}.")
            return redirect("web:study-labels", public_id=public_id)
    context = {
        "form": form,
        "standing": [_line(row) for row in rows if row.lifted_at is None],
        "lifted": [_line(row) for row in rows if row.lifted_at is not None],
        "may_lift": actor.may(Duty.LIFT_LABEL),
        **_about(study),
    }
    return render(request, "web/labels/study.html", context, status=_status(form))


@form_page
def lift(request: HttpRequest, public_id: str, labelling_id: str) -> HttpResponse:
    """Say why a label is taken off. Raises NotAllowed, StudyNotFound, LabelNotFound."""
    actor, at = actor_of(request), timezone.now()
    require(actor, Duty.LIFT_LABEL)
    study = study_to_label(actor, public_id=public_id, at=at)
    standing = (row for row in labels_of(study) if row.lifted_at is None)
    row = next((each for each in standing if each.public_id == labelling_id), None)
    if row is None:
        raise LabelNotFound()
    form = WordsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        why = form.cleaned_data["words"]
        lift_label(actor, public_id=public_id, labelling_id=labelling_id, why=why, at=at)
        messages.success(request, "The label is taken off.")
        return redirect("web:study-labels", public_id=public_id)
    context = {"form": form, "line": _line(row), **_about(study)}
    return render(request, "web/labels/lift.html", context, status=_status(form))


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """The rules of the own organization and of the region. Raises NotAllowed."""
    actor = actor_of(request)
    found = [_rule(actor, rule) for rule in label_rules(actor)]
    context = {
        "running": [each for each in found if each["rule"].ended_at is None],
        "over": [each for each in found if each["rule"].ended_at is not None],
        "labels": list(Label),
        "for_region": actor.may(Duty.SET_REGION),
        "may_set_policy": actor.may(Duty.SET_POLICY),
        "policy": POLICIES[policy_for(actor)],
    }
    return render(request, "web/labels/rules.html", context)


@form_page
def new_rule(request: HttpRequest) -> HttpResponse:
    """A new rule, whose effect is counted before it is made. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    require(actor, Duty.RULE_LABELS)
    form, foreseen = RuleForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("step") == "make":
                make_rule(wanted=form.wanted, by=actor, at=at)
                messages.success(request, "The rule is made. Older studies follow within minutes.")
                return redirect("web:label-rules")
            foreseen = _foreseen(actor, form, at)
        except LabelInvalid as error:
            form.add_error(None, str(error))
    context = {"form": form, "foreseen": foreseen, "for_region": actor.may(Duty.SET_REGION)}
    return render(request, "web/labels/new_rule.html", context, status=_status(form))


@require_POST
def end(request: HttpRequest, public_id: str) -> HttpResponse:
    """End a rule; what it labelled stays labelled. Raises NotAllowed, LabelRuleNotFound."""
    end_rule(public_id=public_id, by=actor_of(request), at=timezone.now())
    messages.success(request, "The rule has ended. What it labelled stays labelled.")
    return redirect("web:label-rules")


def _foreseen(actor: Actor, form: RuleForm, at: datetime) -> dict[str, Any]:
    found = foresee_rule(actor, form.wanted, at=at)
    return {
        "count": found.count,
        "looked_at": found.looked_at,
        "more": found.more,
        "some": [(present.title_of(study), study) for study in found.some],
    }


def _rule(actor: Actor, rule: Any) -> dict[str, Any]:
    """A rule in words; the parts are joined by `and`."""
    parts = []
    if rule.words:
        parts.append(f"description says {and_list(rule.words, 'or')}")
    if rule.departments:
        parts.append(f"asked for by {and_list(rule.departments, 'or')}")
    if rule.modalities:
        parts.append(and_list([modality_word(each) for each in rule.modalities], "or"))
    if rule.regions:
        parts.append(and_list([BodyRegion(each).words for each in rule.regions], "or"))
    if rule.under_age is not None:
        parts.append(f"patient younger than {rule.under_age}")
    said = ", and ".join(parts)
    return {
        "rule": rule,
        "label": Label(rule.label).words,
        "said": said[:1].upper() + said[1:],
        "may_end": may_change(actor, rule) and rule.ended_at is None,
    }


def _line(row: Any) -> dict[str, Any]:
    return {"row": row, "label": Label(row.label).words}


def _about(study: Any) -> dict[str, Any]:
    return {"study": study, "patient": study.patient, "title": present.title_of(study)}


def _status(form: Any) -> int:
    return 422 if form.is_bound and form.errors else 200
