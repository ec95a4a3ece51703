"""Requests for access: asking, and answering. Who asks learns nothing but the answer."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.response import Response
from rest_framework.views import APIView

from sharing.access.errors import AskInvalid
from sharing.access.rules import Subject
from sharing.access.services import (
    approve_request,
    ask_access,
    my_requests,
    preview_share,
    refuse_request,
    request_to_answer,
    requests_to_answer,
    withdraw_request,
)
from sharing.archive.services.showing import patients_studies_to_share
from sharing.kernel.purposes import Purpose
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import organization_options, require

from .gate import People
from .paging import Pages

ASKED, RECEIVED = "asked", "received"


class WhichForm(serializers.Serializer[Any]):
    """Which of the requests."""

    direction = serializers.ChoiceField(choices=[ASKED, RECEIVED], default=ASKED)


class AskWish(serializers.Serializer[Any]):
    """Of whom, which patient, and why."""

    custodian = serializers.CharField(max_length=40, help_text="Code of the organization")
    identifier = serializers.CharField(max_length=64)
    birth_date = serializers.DateField()
    reason = serializers.CharField(max_length=1000)


class ApproveWish(serializers.Serializer[Any]):
    """Until when."""

    until = serializers.DateTimeField()


class RefuseWish(serializers.Serializer[Any]):
    """Why not, in words that who asked reads."""

    why = serializers.CharField(max_length=300)


class RequestForm(serializers.Serializer[Any]):
    """A request as who asked reads it."""

    id = serializers.CharField()
    custodian = serializers.CharField()
    asked_for = serializers.CharField()
    asked_by = serializers.CharField()
    purpose = serializers.CharField()
    identifier = serializers.CharField()
    birth_date = serializers.DateField()
    reason = serializers.CharField()
    state = serializers.CharField()
    asked_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField()


class CoveredForm(serializers.Serializer[Any]):
    """One study of the patient, and what the consents lack for who asked; blank: nothing."""

    study_uid = serializers.CharField()
    missing = serializers.CharField()


class RequestToAnswerForm(RequestForm):
    """The same for who answers, with the patient that it names and what could be shared."""

    patient = serializers.CharField(help_text="The patient's id here; blank: none is named")
    studies = CoveredForm(many=True)


class NewestRequests(Pages):
    """Pages that neither skip nor repeat while requests come."""

    ordering = ("-asked_at", "-id")
    orders = ("asked_at",)


class RequestsView(ListAPIView):
    """What the caller asked, or what waits for the answer of the caller's organization."""

    permission_classes = [People]
    about = "requests"
    pagination_class = NewestRequests
    serializer_class = RequestForm

    @extend_schema(parameters=[OpenApiParameter("direction", str, enum=[ASKED, RECEIVED])])
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """A page of requests, the newest first."""
        actor, at = request._request.actor, timezone.now()
        require(actor, Duty.SHARE)
        wanted = WhichForm(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        received = wanted.validated_data["direction"] == RECEIVED
        found = requests_to_answer(actor, at=at) if received else my_requests(actor)
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response([as_json(each, at) for each in page])

    @extend_schema(request=AskWish, responses={201: RequestForm})
    def post(self, request: Any) -> Response:
        """Ask; the answer is the same whether or not there is such a patient."""
        actor, at = request._request.actor, timezone.now()
        require(actor, Duty.SHARE)
        said = dict(_valid(AskWish, request))
        options = organization_options(without=actor.organization_id)
        custodian = options.filter(code=said.pop("custodian")).first()
        if custodian is None:
            raise AskInvalid("Choose another organization of the region.")
        made = ask_access(custodian=custodian, **said, by=actor, at=at)
        return Response(as_json(made, at), status=201)


class RequestView(APIView):
    """One request: the caller's own, or one that waits for an answer."""

    permission_classes = [People]
    about = "requests"

    @extend_schema(responses=RequestToAnswerForm)
    def get(self, request: Any, request_id: str) -> Response:
        """The request; for who answers it with what the consents cover."""
        actor, at = request._request.actor, timezone.now()
        mine = my_requests(actor).filter(public_id=request_id).first()
        if mine is not None:
            return Response(as_json(mine, at))
        wanted = request_to_answer(actor, public_id=request_id, at=at)
        covered = _covered(wanted, actor, wanted.expires_at, at)
        studies = [{"study_uid": s.study_uid, "missing": missing} for s, missing in covered]
        patient = wanted.patient.public_id if wanted.patient else ""
        return Response(as_json(wanted, at) | {"patient": patient, "studies": studies})


class ApproveView(APIView):
    """Yes."""

    permission_classes = [People]
    about = "requests"

    @extend_schema(request=ApproveWish, responses=RequestForm)
    def post(self, request: Any, request_id: str) -> Response:
        """Share what the consents cover with who asked, until then."""
        actor, at = request._request.actor, timezone.now()
        until = _valid(ApproveWish, request)["until"]
        wanted = request_to_answer(actor, public_id=request_id, at=at)
        subjects = [s for s, missing in _covered(wanted, actor, until, at) if not missing]
        made = approve_request(
            public_id=request_id, subjects=subjects, until=until, by=actor, at=at
        )
        return Response(as_json(made, at))


class RefuseView(APIView):
    """No."""

    permission_classes = [People]
    about = "requests"

    @extend_schema(request=RefuseWish, responses=RequestForm)
    def post(self, request: Any, request_id: str) -> Response:
        """Refuse, in words that who asked reads."""
        actor, at = request._request.actor, timezone.now()
        why = _valid(RefuseWish, request)["why"]
        return Response(as_json(refuse_request(public_id=request_id, why=why, by=actor, at=at), at))


class WithdrawView(APIView):
    """No longer needed."""

    permission_classes = [People]
    about = "requests"

    @extend_schema(request=None, responses=RequestForm)
    def post(self, request: Any, request_id: str) -> Response:
        """Take the caller's own request back."""
        actor, at = request._request.actor, timezone.now()
        return Response(as_json(withdraw_request(public_id=request_id, by=actor, at=at), at))


def as_json(asked: Any, at: datetime) -> dict[str, Any]:
    """A request as who asked reads it; one that nobody answered in time is over."""
    over = asked.state == "asked" and at >= asked.expires_at
    names = ("purpose", "identifier", "birth_date", "reason", "asked_at", "expires_at")
    return {
        "id": asked.public_id,
        "custodian": asked.custodian.code,
        "asked_for": asked.asked_for.code,
        "asked_by": asked.asked_by.name,
        **{name: getattr(asked, name) for name in names},
        "state": "expired" if over else asked.state,
        "answered_at": asked.answered_at,
        "answer": asked.answer,
    }


def _valid(form: type[serializers.Serializer[Any]], request: Any) -> Any:
    wish = form(data=request.data)
    wish.is_valid(raise_exception=True)
    return wish.validated_data


def _covered(wanted: Any, actor: Actor, until: datetime, at: datetime) -> list[tuple[Subject, str]]:
    """The patient's studies, each with what the consents lack to share it with who asked."""
    if wanted.patient is None:
        return []
    studies = patients_studies_to_share(actor, [wanted.patient], at=at)
    if not studies:
        return []
    previews = preview_share(
        subjects=[study.subject for study in studies],
        to=wanted.asked_for,
        purpose=Purpose(wanted.purpose),
        until=until,
        by=actor.organization_id,
        at=at,
        person=wanted.asked_by,
    )
    return [(each.subject, "" if each.after.allowed else each.missing) for each in previews]
