"""The head of the access log, for partners who witness that it only grows (ADR-007).

No patient data: sizes, hashes and signatures.
"""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from sharing.audit.services import countersign, heads, newest_head, proof_between

from .gate import Witnesses

_HEX = r"\A(?:[0-9a-f]{2})+\Z"


class SizesForm(serializers.Serializer[Any]):
    """Two heads, by their sizes."""

    first = serializers.IntegerField(min_value=0)
    second = serializers.IntegerField(min_value=0)


class AfterForm(serializers.Serializer[Any]):
    """From which head on."""

    after = serializers.IntegerField(min_value=0, required=False)


class SignatureForm(serializers.Serializer[Any]):
    """A partner's Ed25519 key and its signature of a head's body, hex."""

    key = serializers.RegexField(_HEX, min_length=64, max_length=64)
    signature = serializers.RegexField(_HEX, min_length=128, max_length=128)


class HeadsView(APIView):
    """The signed heads."""

    permission_classes = [Witnesses]

    @extend_schema(parameters=[OpenApiParameter("after", int)], responses=dict)
    def get(self, request: Any) -> Response:
        """The newest head; with `after`, a hundred heads from that number on."""
        wanted = AfterForm(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        after = wanted.validated_data.get("after")
        if after is None:
            return Response(newest_head())
        return Response({"heads": heads(after=after)})


class ConsistencyView(APIView):
    """That the log only grew."""

    permission_classes = [Witnesses]

    @extend_schema(
        parameters=[OpenApiParameter("first", int), OpenApiParameter("second", int)], responses=dict
    )
    def get(self, request: Any) -> Response:
        """The nodes between two sizes (RFC 6962 2.1.2)."""
        wanted = SizesForm(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        return Response({"proof": proof_between(**wanted.validated_data)})


class WitnessView(APIView):
    """A partner's own signature."""

    permission_classes = [Witnesses]

    @extend_schema(request=SignatureForm, responses={204: None})
    def post(self, request: Any, number: int) -> Response:
        """Keep the signature of that head; 422 where it does not fit."""
        wanted = SignatureForm(data=request.data)
        wanted.is_valid(raise_exception=True)
        who = request._request.actor.who
        countersign(number=number, **wanted.validated_data, by=who, at=timezone.now())
        return Response(status=204)
