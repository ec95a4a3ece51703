"""The record of what was shown, handed out: the PDF, and the portal's signature on it."""

from typing import Any

from django.http import HttpResponse, JsonResponse

from sharing.kernel.errors import Absent


def as_answer(statement: Any, data: bytes, form: str) -> HttpResponse:
    """`pdf`, or `signature` as JSON. Raises Absent for another form."""
    name = f"{statement.consent.reference}-v{statement.consent.version}"
    if form == "pdf":
        response = HttpResponse(data, content_type="application/pdf")
    elif form == "signature":
        response = JsonResponse(
            {
                "document": f"{name}.pdf",
                "sha256": statement.sha256,
                "signed": f"consent-document:1:{statement.sha256}",
                "algorithm": "Ed25519 (RFC 8032)",
                "public_key": statement.public_key,
                "signature": statement.signature,
            },
            json_dumps_params={"indent": 1},
        )
    else:
        raise Absent()
    ending = {"pdf": "pdf", "signature": "signature.json"}[form]
    response["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
