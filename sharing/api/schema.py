"""What drf-spectacular can't see: who speaks, what all operations share, where to try them."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularSwaggerSplitView

from . import examples

PROBLEM = {
    "type": "object",
    "description": "What was refused, and why (RFC 9457). `code` stays the same for ever.",
    "required": ["title", "status", "code"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
}
REFUSALS = {
    "400": "Not understood",
    "401": "Who asks is not known",
    "403": "The token lacks the scope",
    "404": "Not there, or not to be seen",
    "409": "Not possible now",
    "412": "Changed meanwhile",
    "422": "Understood, and not acceptable",
    "429": "Too often",
}
FIELDS = {
    "name": "fields",
    "in": "query",
    "description": "Names of fields with commas: only these are sent.",
    "schema": {"type": "string"},
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of what you saw: 412 where it has changed since.",
    "schema": {"type": "string"},
}
ONCE = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A name of yours for this request: sent again within a day it does nothing new "
    "and gets the same answer, or 409 `answer_over` once what it made has changed or ended.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


class ActorScheme(OpenApiAuthenticationExtension):
    """A bearer token; a browser's session does as well."""

    target_class = "portal.rest.ActorAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """RFC 6750."""
        return {"type": "http", "scheme": "bearer"}


def shared(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A postprocessing hook: refusals, and the conventions' headers and parameters."""
    parts = result["components"]
    for form in parts["schemas"].values():
        form.get("properties", {}).update(_or_nothing(form))
    parts["schemas"]["Problem"] = PROBLEM
    parts["examples"] = {code: {"value": each} for code, each in examples.OF_REFUSALS.items()}
    for operations in result["paths"].values():
        for method, operation in operations.items():
            refused = {code: _refusal(code) for code in REFUSALS if code != "412"}
            if method in ("patch", "delete"):
                refused["412"] = _refusal("412")
            operation["responses"] = operation["responses"] | refused
            more = {"get": [FIELDS], "post": [ONCE], "patch": [IF_MATCH], "delete": [IF_MATCH]}
            operation["parameters"] = operation.get("parameters", []) + more.get(method, [])
    return result


def _or_nothing(form: dict[str, Any]) -> dict[str, Any]:
    """A form's parts that are another form or null: `nullable` beside `allOf` lets no null in."""
    found = {}
    for name, part in form.get("properties", {}).items():
        if "allOf" in part and part.get("nullable"):
            rest = {key: value for key, value in part.items() if key not in ("allOf", "nullable")}
            found[name] = rest | {"oneOf": [*part["allOf"], {"enum": [None]}]}
    return found


def _refusal(code: str) -> dict[str, Any]:
    """An answer, by what all operations share."""
    shape = {"$ref": "#/components/schemas/Problem"}
    shown = {"refused": {"$ref": f"#/components/examples/{code}"}}
    content = {"application/problem+json": {"schema": shape, "examples": shown}}
    return {"description": REFUSALS[code], "content": content}


def exemplified(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A postprocessing hook: an example beside every body and every answer that has one."""
    for path, operations in result["paths"].items():
        for operation in operations.values():
            for told in operation.get("requestBody", {}).get("content", {}).values():
                if "examples" not in told:
                    told["example"] = examples.asked(told["schema"])
            for _, told in answers(operation):
                name = operation["operationId"]
                told["example"] = examples.answered(told["schema"], operation=name, path=path)
    return result


def answers(operation: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What an operation answers where all is well: statuses with what bodies are, but for files."""
    good = [(code, each) for code, each in operation["responses"].items() if code < "300"]
    bodies = [(code, told) for code, each in good for told in each.get("content", {}).values()]
    return [(code, told) for code, told in bodies if told["schema"].get("format") != "binary"]


class DocsView(SpectacularSwaggerSplitView):
    """The document as a page to read and to try, from our own host and without inline script."""

    url_name = "api:schema"
    template_name = "api/docs.html"
