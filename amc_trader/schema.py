"""What every operation of the API's description shares: how to log in, and how refusals read."""

from http import HTTPStatus
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from amc_trader.api import PROBLEM, problem

Endpoint = tuple[str, str, str, Any]  # path, its regular expression, method, view
METHODS = {"get", "post", "put", "patch", "delete"}
WHEN = {  # what each refusal means, and an example of its detail
    HTTPStatus.BAD_REQUEST: "The request has values that cannot be used.",
    HTTPStatus.UNAUTHORIZED: "Authentication credentials were not provided.",
    HTTPStatus.FORBIDDEN: "You do not have permission to perform this action.",
    HTTPStatus.NOT_FOUND: "No candidate matches the given query.",
    HTTPStatus.CONFLICT: "VIGL has no bar on 2024-06-29",
    HTTPStatus.TOO_MANY_REQUESTS: "Request was throttled. Expected available in 41 seconds.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The provider did not answer.",
}
RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457. `errors` names the values that cannot be used.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "object", "additionalProperties": True},
    },
}


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "amc_trader.api.ApiKey"
    name = "key"

    def get_security_definition(self, _auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A key made in the admin."}


class StaffSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "amc_trader.api.StaffSession"
    name = "session"

    def get_security_definition(self, _auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The admin's session; what writes needs its CSRF token too.",
        }


def without_final_slash(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Describe each URL as the mission writes it: a slash at the end is optional."""
    return [(path.rstrip("/"), pattern, method, view) for path, pattern, method, view in endpoints]


def add_problems(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """Add to every operation the refusals it can answer with."""
    components = result["components"]
    components["schemas"]["Problem"] = PROBLEM_SCHEMA
    components["responses"] = {_name(status): _response(status) for status in WHEN}
    for path, operations in result["paths"].items():
        for method in METHODS & operations.keys():
            operation = operations[method]
            for status in _refusals(path, operation):
                reference = {"$ref": f"#/components/responses/{_name(status)}"}
                operation["responses"].setdefault(str(status.value), reference)
            operation["responses"] = dict(sorted(operation["responses"].items()))
    return result


def _refusals(path: str, operation: dict[str, Any]) -> list[HTTPStatus]:
    if {} in operation.get("security", []):  # a probe: open, never refused for what it asks
        return []
    found = [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS]
    asks = any(given["in"] == "query" for given in operation.get("parameters", []))
    if asks or "requestBody" in operation:
        found += [HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT]
    if "{" in path or any(p["name"] == "page" for p in operation.get("parameters", [])):
        found.append(HTTPStatus.NOT_FOUND)
    return found


def _name(status: HTTPStatus) -> str:
    return status.phrase.replace(" ", "")


def _response(status: HTTPStatus) -> dict[str, Any]:
    more = {}
    if status == HTTPStatus.BAD_REQUEST:
        more = {"errors": {"session": ["Date has wrong format. Use YYYY-MM-DD."]}}
    content = {
        "schema": {"$ref": "#/components/schemas/Problem"},
        "examples": {status.phrase: {"value": problem(status, WHEN[status], **more)}},
    }
    waits = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
    headers = {"headers": {"Retry-After": RETRY_AFTER}} if status in waits else {}
    return {"description": status.phrase, **headers, "content": {PROBLEM: content}}
