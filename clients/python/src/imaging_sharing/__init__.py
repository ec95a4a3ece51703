"""The imaging sharing portal's client: `Client` waits, `AsyncClient` is awaited; both are typed."""

from .browsing import sign_in
from .clients import AsyncClient, Client
from .errors import PortalError, Refused, Unreachable
from .models import Me, Organization, Patient, Progress, Receipt, Series, Share, Study
from .tokens import Machine, Person, Tokens

__all__ = [
    "AsyncClient",
    "Client",
    "Machine",
    "Me",
    "Organization",
    "Patient",
    "Person",
    "PortalError",
    "Progress",
    "Receipt",
    "Refused",
    "Series",
    "Share",
    "Study",
    "Tokens",
    "Unreachable",
    "sign_in",
]
