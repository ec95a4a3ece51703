"""Pages by cursor, in an order of the caller's choice: they neither skip nor repeat.

A cursor holds a value of the last row, never a row's number: that would count what can't be seen.
"""

from collections.abc import Sequence
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import CursorPagination


class Pages(CursorPagination):
    """50 at once, up to 200 by `limit`; `ordering` is one of `orders`, with a minus for falling."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    orders: Sequence[str] = ()

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> tuple[str, ...]:
        """What was asked for, else the view's own. Raises ValidationError for another."""
        asked = request.query_params.get("ordering", "")
        if not asked:
            return tuple(self.ordering)
        if asked.removeprefix("-") not in self.orders:
            raise ValidationError("ordering")
        return (asked, "-id" if asked.startswith("-") else "id")

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """`cursor` and `limit`, and `ordering` where there is a choice."""
        told: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        if self.orders:
            choices = [sign + name for name in self.orders for sign in ("", "-")]
            told.append(
                {
                    "name": "ordering",
                    "in": "query",
                    "required": False,
                    "description": "In which order; a minus turns it round.",
                    "schema": {"type": "string", "enum": choices},
                }
            )
        return told
