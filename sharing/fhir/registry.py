"""All types of this face, in the order in which the CapabilityStatement names them."""

from . import (
    consent_writing,
    consents,
    directory,
    documents,
    events,
    patients,
    studies,
    subscriptions,
)

TYPES = (
    *directory.TYPES,
    *patients.TYPES,
    *studies.TYPES,
    *documents.TYPES,
    *consents.TYPES,
    *events.TYPES,
    *subscriptions.TYPES,
)
WRITERS = {
    consents.CONSENT.name: consent_writing.WRITER,
    subscriptions.SUBSCRIPTION.name: subscriptions.WRITER,
}
