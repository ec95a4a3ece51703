"""Doorbells of the notify room."""

from celery import shared_task
from django.utils import timezone

from . import ahead, delivering, digests, moves, posts, recalls, services


@shared_task(name="notify.send_letter")
def send_letter(letter_id: int) -> None:
    """Send a letter's link."""
    services.send_letter(letter_id=letter_id, at=timezone.now())


@shared_task(name="notify.tell_operators")
def tell_operators(organization_id: int) -> None:
    """An application waits."""
    services.tell_operators(organization_id=organization_id, at=timezone.now())


@shared_task(name="notify.send_welcome")
def send_welcome(user_id: int, organization_id: int) -> None:
    """How to begin."""
    services.send_welcome(user_id=user_id, organization_id=organization_id, at=timezone.now())


@shared_task(name="notify.send_refusal")
def send_refusal(organization_id: int) -> None:
    """An application was turned down."""
    services.send_refusal(organization_id=organization_id, at=timezone.now())


@shared_task(name="notify.tell_moved")
def tell_moved(move_id: int) -> None:
    """An organization took a step of its life."""
    moves.tell_moved(move_id=move_id, at=timezone.now())


@shared_task(name="notify.tell_shared")
def tell_shared(share_id: int) -> None:
    """Studies came."""
    at = timezone.now()
    delivering.shared(share_id=share_id, at=at)
    services.tell_shared(share_id=share_id, at=at)


@shared_task(name="notify.tell_asked")
def tell_asked(request_id: int) -> None:
    """A request for access waits."""
    at = timezone.now()
    delivering.asked(request_id=request_id, at=at)
    services.tell_asked(request_id=request_id, at=at)


@shared_task(name="notify.tell_answered")
def tell_answered(request_id: int) -> None:
    """A request for access was answered."""
    services.tell_answered(request_id=request_id, at=timezone.now())


@shared_task(name="notify.tell_renewal_asked")
def tell_renewal_asked(ask_id: int) -> None:
    """A grantee asks that a share goes on."""
    ahead.tell_renewal_asked(ask_id=ask_id, at=timezone.now())


@shared_task(name="notify.tell_endings")
def tell_endings() -> None:
    """What ends soon; the beat calls this."""
    ahead.tell_endings(at=timezone.now())


@shared_task(name="notify.tell_glass")
def tell_glass(glass_id: int) -> None:
    """Somebody used emergency access."""
    services.tell_glass(glass_id=glass_id, at=timezone.now())


@shared_task(name="notify.tell_revoked")
def tell_revoked(consent_id: int) -> None:
    """Studies left."""
    services.tell_revoked(consent_id=consent_id, at=timezone.now())


@shared_task(name="notify.recall")
def recall(consent_id: int) -> None:
    """A consent ended: which copies left by it."""
    recalls.recall_copies(consent_id=consent_id, at=timezone.now())


@shared_task(name="notify.tell_recall")
def tell_recall(recall_id: int) -> None:
    """Copies are recalled."""
    services.tell_recall(recall_id=recall_id, at=timezone.now())


@shared_task(name="notify.send_waiting")
def send_waiting() -> None:
    """What waited for a person's hours; the beat calls this."""
    digests.send_waiting(at=timezone.now())


@shared_task(name="notify.tell_support")
def tell_support(session_id: int) -> None:
    """Somebody of the operator asks to look."""
    posts.tell_support(session_id=session_id, at=timezone.now())


@shared_task(name="notify.tell_due_posts")
def tell_due_posts() -> None:
    """Roles that wait for a word; the beat calls this."""
    posts.tell_due(at=timezone.now())


@shared_task(name="notify.tell_settled")
def tell_settled(study_ids: list[int]) -> None:
    """Studies are complete: to webhooks."""
    delivering.settled(study_ids=study_ids, at=timezone.now())


@shared_task(name="notify.read_log")
def read_log() -> None:
    """What the access log says, to webhooks; the beat calls this."""
    at = timezone.now()
    delivering.read_log(at=at)
    delivering.forget(at=at)


@shared_task(name="notify.deliver")
def deliver(delivery_id: int) -> None:
    """Send one delivery of a webhook."""
    delivering.deliver(delivery_id=delivery_id, at=timezone.now())
