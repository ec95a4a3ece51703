"""What this face can refuse by itself; all else is refused by the rooms."""

from sharing.kernel.errors import DomainError


class SearchInvalid(DomainError):
    """A search that can't be answered as it was asked."""

    code = "search_invalid"
    message = "A search parameter is not understood. The CapabilityStatement names those that are."


class NotOffered(DomainError):
    """An interaction that this type does not have."""

    code = "not_offered"
    message = "This is not offered for this type. The CapabilityStatement says what is."


class FormatUnknown(DomainError):
    """Another format than JSON, or another version than R4."""

    code = "not_acceptable"
    message = "The answer is FHIR R4 as JSON."


class BodyUnreadable(DomainError):
    """A body that is not a JSON resource of the type that the address names."""

    code = "bad_value"
    message = "The body is not a JSON resource of this type."


class ResourceInvalid(DomainError):
    """A resource that says what can't be kept. Nothing of it is kept."""

    code = "resource_invalid"
    message = "The resource says what can't be kept here; nothing of it was kept."


class VersionStale(DomainError):
    """The resource changed since it was read, or the request doesn't say what was read."""

    code = "version_stale"
    message = "Read the resource again and send its ETag as If-Match."
