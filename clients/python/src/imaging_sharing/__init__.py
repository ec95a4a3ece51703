"""The imaging sharing portal's client: `Client` waits, `AsyncClient` is awaited; both are typed."""

from .clients import AsyncClient, Client
from .errors import PortalError, Refused, Unreachable
from .models import Me, Organization, Patient, Progress, Receipt, Series, Share, Study

__all__ = [
    "AsyncClient",
    "Client",
    "Me",
    "Organization",
    "Patient",
    "PortalError",
    "Progress",
    "Receipt",
    "Refused",
    "Series",
    "Share",
    "Study",
    "Unreachable",
]
