"""Why somebody may or may not do something with a study: the decision with its precedence."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from sharing.archive.services.explaining import Explained, Wanted, explain_study
from sharing.kernel.purposes import Action, Purpose

from .gate import Scoped


class QuestionForm(serializers.Serializer[Any]):
    """Who, doing what, when; without a person: the caller."""

    study = serializers.CharField(max_length=24)
    action = serializers.ChoiceField([each.value for each in Action], default=Action.IMAGES.value)
    person = serializers.CharField(max_length=24, required=False, default="")
    organization = serializers.CharField(max_length=40, required=False, default="")
    purpose = serializers.ChoiceField(
        [each.value for each in Purpose if each != Purpose.EMERGENCY],
        default=Purpose.TREATMENT.value,
    )
    at = serializers.DateTimeField(required=False)


class StepForm(serializers.Serializer[Any]):
    """One rung of the ladder."""

    rung = serializers.CharField()
    question = serializers.CharField()
    answer = serializers.CharField()
    decided = serializers.BooleanField()
    consent = serializers.CharField()


class ExplanationForm(serializers.Serializer[Any]):
    """The answer; `ways` are told to the custodian only: all of one way is needed."""

    study = serializers.CharField()
    person = serializers.CharField()
    organization = serializers.CharField()
    purpose = serializers.CharField()
    action = serializers.CharField()
    at = serializers.DateTimeField()
    allowed = serializers.BooleanField()
    rule = serializers.CharField()
    reason = serializers.CharField()
    consent = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)
    obligations = serializers.ListField(child=serializers.CharField())
    steps = StepForm(many=True)
    ways = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))


class ExplainView(APIView):
    """May they, and why."""

    permission_classes = [Scoped]
    about = "explain"

    @extend_schema(
        parameters=[
            OpenApiParameter("study", str, required=True, description="The study's id here"),
            OpenApiParameter("action", str, enum=[each.value for each in Action]),
            OpenApiParameter("person", str, description="The person's id; without: the caller"),
            OpenApiParameter("organization", str, description="Code of whom they act for"),
            OpenApiParameter("purpose", str),
            OpenApiParameter("at", str, description="The moment; without: now"),
        ],
        responses=ExplanationForm,
    )
    def get(self, request: Any) -> Response:
        """The decision, the rung that decided, and what would have to change.

        About others only the custodian's privacy officer or clerk may ask: 404 else.
        """
        form, at = QuestionForm(data=request.query_params), timezone.now()
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        wanted = Wanted(
            action=Action(asked["action"]),
            moment=asked.get("at", at),
            person=asked["person"],
            organization=asked["organization"],
            purpose=Purpose(asked["purpose"]),
        )
        told = explain_study(
            request._request.actor,
            public_id=asked["study"],
            wanted=wanted,
            at=at,
            request_id=request._request.request_id,
        )
        return Response(ExplanationForm(_body(told)).data)


def _body(told: Explained) -> dict[str, Any]:
    decision = told.explanation.decision
    return {
        "study": told.study.public_id,
        "person": told.actor.id,
        "organization": told.actor.organization_code,
        "purpose": told.actor.purpose,
        "action": told.wanted.action,
        "at": told.wanted.moment,
        "allowed": decision.allowed,
        "rule": decision.basis.rule,
        "reason": decision.reason,
        "consent": decision.basis.consent,
        "until": decision.basis.until,
        "obligations": sorted(decision.obligations),
        "steps": told.explanation.steps,
        "ways": told.explanation.ways,
    }
