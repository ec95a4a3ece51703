"""Verbs of partners' clients, by theme: clients, tokens, acting."""

from .acting import actor_for_token, still_acting
from .asserting import client_by_assertion, token_address
from .clients import (
    Made,
    Wish,
    change_keys,
    create_client,
    end_all_clients,
    end_client,
    live_tokens,
    own_client,
    own_clients,
    rotate_secret,
)
from .keys import ALGORITHMS
from .tokens import clear, end_family, introspected, issue_token, revoke_token, told

__all__ = [
    "ALGORITHMS",
    "Made",
    "Wish",
    "actor_for_token",
    "change_keys",
    "clear",
    "client_by_assertion",
    "create_client",
    "end_all_clients",
    "end_client",
    "end_family",
    "introspected",
    "issue_token",
    "live_tokens",
    "own_client",
    "own_clients",
    "revoke_token",
    "rotate_secret",
    "still_acting",
    "token_address",
    "told",
]
