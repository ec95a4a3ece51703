"""What the archive can refuse."""

from sharing.kernel.errors import Absent, DomainError


class StudyNotFound(Absent):
    """No such study, series, instance or frame, or not the actor's to know."""


class UploadNotFound(Absent):
    """No such upload or batch of the actor's."""


class WrongOffset(DomainError):
    """The piece does not begin where the upload stands (tus 1.0, PATCH)."""

    code = "wrong_offset"
    message = "The upload continues at another place."


class UploadTooLarge(DomainError):
    """More bytes than announced, or than may be sent at once."""

    code = "too_large"
    message = "The upload is larger than allowed."


class UnsupportedMedia(DomainError):
    """What was sent is of a media type or an encoding that is not taken (PS3.18 10.5.3.1)."""

    code = "unsupported_media"
    message = "This media type or content encoding is not stored."


class TooMany(DomainError):
    """More requests in a minute than an organization may send."""

    code = "too_many"
    message = "Too many requests in a minute. Try again later."


class TooManyMisses(DomainError):
    """More studies in a minute that are not there, or not for the actor, than a person mistypes."""

    code = "too_many_misses"
    message = "Too many studies were not found in a minute. Try again later."


class TooManyCopies(DomainError):
    """More studies than one export of copies without names takes."""

    code = "too_many_copies"
    message = "More studies fit than one file takes. Choose one kind of image."


class QuotaReached(DomainError):
    """The organization holds as many bytes as it may."""

    code = "quota"
    message = "The organization's storage quota is used up."


class BlobUnavailable(DomainError):
    """The row is here and its bytes are not: never silent, never other bytes."""

    code = "blob_unavailable"
    message = "The stored object can't be read now."


class NotRenderable(DomainError):
    """No picture can be made of this object."""

    code = "not_renderable"
    message = "No picture can be made of this object."


class NotAcceptable(DomainError):
    """No representation fits what the client accepts."""

    code = "not_acceptable"
    message = "No representation fits the Accept header."


class NoSpace(DomainError):
    """The disk is full. Nothing of the request was kept, and nothing was acknowledged."""

    code = "no_space"
    message = "There is no space left to store this."


class MarkedOnly(DomainError):
    """The patient asked that images carry their reader's name, and this answer can't."""

    code = "marked_only"
    message = (
        "The patient permitted images that carry the reader's name, and no others. "
        "Ask for rendered pictures, or open the viewer."
    )


class BadUpload(DomainError):
    """A request of the upload protocol that does not keep to it (tus 1.0)."""

    code = "bad_upload"
    message = "The upload request is not understood."


class OnHold(DomainError):
    """A legal hold is in force: nothing of the study may leave."""

    code = "on_hold"
    message = "The study is on legal hold. Nothing of it can be removed until the hold is lifted."


class RemovalInvalid(DomainError):
    """A removal without a proper reason, or of nothing."""

    code = "removal_invalid"
    message = "Say why, and what."


class ConflictNotFound(Absent):
    """No such conflict waits at the actor's organization."""


class HoldNotFound(Absent):
    """No such hold is in force at the actor's organization."""


class LabelInvalid(DomainError):
    """A label or a rule for labels that says too little."""

    code = "label_invalid"
    message = "Say in a few words why."


class LabelNotFound(Absent):
    """No such label stands on the study."""


class LabelRuleNotFound(Absent):
    """No such rule in force, or not the actor's to change."""


class SearchNotFound(Absent):
    """No such saved search of the person's."""


class TooManySearches(DomainError):
    """A person keeps as many searches as they may."""

    code = "too_many_searches"
    message = "You keep 20 searches. Delete one first."


class BadPaper(DomainError):
    """A file that is neither a PDF nor a photo that can be read; its message says which."""

    code = "bad_paper"
    message = "This is neither a PDF nor a photo that can be read."


class NoteRefused(DomainError):
    """Looking at this study leaves nothing behind."""

    code = "note_refused"
    message = "Nothing can be kept here."


class NoteInvalid(DomainError):
    """Notes on images that are not of the study, or that mean nothing."""

    code = "note_invalid"
    message = "These measurements can't be kept. They are still on your screen."


class HeldNotFound(Absent):
    """No such study waits for its patient at the actor's organization."""


class HeldUndecided(DomainError):
    """A decision about a held study that can't be carried out: nothing was changed."""

    code = "held_undecided"
    message = "Not all of its objects can be stored that way. Refuse it, or have it sent again."
