"""Webhooks of the caller's organization, and what was delivered by them."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.response import Response
from rest_framework.views import APIView

from sharing.notify import hooks
from sharing.notify.rules import SUBSCRIBED

from .gate import Scoped
from .paging import Pages

KINDS = [kind.value for kind in SUBSCRIBED]


class WebhookForm(serializers.Serializer[Any]):
    """A webhook. Its secret is in no answer but the one that made it."""

    id = serializers.CharField(source="public_id")
    url = serializers.CharField()
    kinds = serializers.ListField(child=serializers.ChoiceField(choices=KINDS))
    names_studies = serializers.BooleanField()
    paused = serializers.BooleanField()
    made_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()
    made_by = serializers.CharField()


class WebhookWithSecret(WebhookForm):
    """The same with its secret (Standard Webhooks), this once."""

    secret = serializers.CharField()


class WebhookWish(serializers.Serializer[Any]):
    """Where, and of what it is told."""

    url = serializers.CharField(max_length=2000)
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=KINDS), min_length=1, max_length=len(KINDS)
    )
    names_studies = serializers.BooleanField(
        default=False, help_text="Name the Study Instance UID beside the study's id here"
    )


class WebhookChange(serializers.Serializer[Any]):
    """What is to be other than it is."""

    url = serializers.CharField(max_length=2000, required=False)
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=KINDS),
        min_length=1,
        max_length=len(KINDS),
        required=False,
    )
    names_studies = serializers.BooleanField(required=False)
    paused = serializers.BooleanField(required=False)


class DeliveryForm(serializers.Serializer[Any]):
    """What a webhook was told, and what came back."""

    id = serializers.CharField(source="public_id")
    kind = serializers.CharField()
    state = serializers.ChoiceField(choices=["waiting", "delivered", "dead"])
    made_at = serializers.DateTimeField()
    tried = serializers.IntegerField()
    tried_at = serializers.DateTimeField(allow_null=True)
    next_at = serializers.DateTimeField(allow_null=True)
    status = serializers.IntegerField(allow_null=True)
    failure = serializers.CharField()
    body = serializers.JSONField()


class NewestMade(Pages):
    """Newest first."""

    ordering = ("-made_at", "-id")
    orders = ("made_at",)


class WebhooksView(ListAPIView):
    """The organization's webhooks."""

    permission_classes = [Scoped]
    about = "webhooks"

    pagination_class = NewestMade
    serializer_class = WebhookForm

    def get_queryset(self) -> Any:
        """Raises NotAllowed."""
        return hooks.own_webhooks(self.request._request.actor)  # type: ignore[attr-defined]

    @extend_schema(
        request=WebhookWish,
        responses={201: WebhookWithSecret},
        examples=[
            OpenApiExample(
                "Told when studies arrive",
                value={"url": "https://ris.example.org/hook", "kinds": ["study.settled"]},
                request_only=True,
            )
        ],
    )
    def post(self, request: Any) -> Response:
        """Set one up; its secret is in this answer alone."""
        form = WebhookWish(data=request.data)
        form.is_valid(raise_exception=True)
        actor = request._request.actor
        made = hooks.create_webhook(**form.validated_data, by=actor, at=timezone.now())
        return Response(_with_secret(made), status=201)


class WebhookView(APIView):
    """One webhook."""

    permission_classes = [Scoped]
    about = "webhooks"

    @extend_schema(responses=WebhookForm)
    def get(self, request: Any, webhook_id: str) -> Response:
        """Where it is and what it is told."""
        return Response(WebhookForm(hooks.own_webhook(request._request.actor, webhook_id)).data)

    @extend_schema(request=WebhookChange, responses=WebhookForm)
    def patch(self, request: Any, webhook_id: str) -> Response:
        """Another address, other kinds, paused or not."""
        form = WebhookChange(data=request.data)
        form.is_valid(raise_exception=True)
        said, actor = form.validated_data, request._request.actor
        made = hooks.change_webhook(public_id=webhook_id, by=actor, at=timezone.now(), **said)
        return Response(WebhookForm(made).data)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Any, webhook_id: str) -> Response:
        """End it: nothing more is sent there."""
        hooks.end_webhook(public_id=webhook_id, by=request._request.actor, at=timezone.now())
        return Response(status=204)


class RotateWebhookView(APIView):
    """A webhook's secret."""

    permission_classes = [Scoped]
    about = "webhooks"

    @extend_schema(request=None, responses=WebhookWithSecret)
    def post(self, request: Any, webhook_id: str) -> Response:
        """Make a new one; for a day deliveries carry both signatures."""
        actor = request._request.actor
        made = hooks.rotate_webhook(public_id=webhook_id, by=actor, at=timezone.now())
        return Response(_with_secret(made))


class TryWebhookView(APIView):
    """A test of a webhook."""

    permission_classes = [Scoped]
    about = "webhooks"

    @extend_schema(request=None, responses={202: DeliveryForm})
    def post(self, request: Any, webhook_id: str) -> Response:
        """Send a test there."""
        actor = request._request.actor
        made = hooks.try_webhook(public_id=webhook_id, by=actor, at=timezone.now())
        return Response(DeliveryForm(made).data, status=202)


class DeliveriesView(ListAPIView):
    """What a webhook was told, newest first."""

    permission_classes = [Scoped]
    about = "webhooks"

    pagination_class = NewestMade
    serializer_class = DeliveryForm

    def get_queryset(self) -> Any:
        """Raises WebhookNotFound."""
        actor = self.request._request.actor  # type: ignore[attr-defined]
        return hooks.deliveries_of(actor, self.kwargs["webhook_id"])


class RedeliverView(APIView):
    """One delivery once more."""

    permission_classes = [Scoped]
    about = "webhooks"

    @extend_schema(request=None, responses={202: DeliveryForm})
    def post(self, request: Any, webhook_id: str, delivery_id: str) -> Response:
        """Send the same body again, now."""
        made = hooks.send_again(
            public_id=webhook_id,
            delivery_id=delivery_id,
            by=request._request.actor,
            at=timezone.now(),
        )
        return Response(DeliveryForm(made).data, status=202)


def _with_secret(made: hooks.Made) -> dict[str, Any]:
    return WebhookForm(made.webhook).data | {"secret": made.secret}
