"""Lists in pages, each page labelled with its source."""

from typing import Any

from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response

from analytics.models import Source

HERE = "http://127.0.0.1:8000/analytics/candidates"
SOURCE = {  # in the description of lists
    "type": "string",
    "description": "Whose data: imported, live or simulated; then `simulated: true` follows.",
    "example": "imported",
}


def label(source: str) -> dict[str, Any]:
    """Return what stands at the head of every answer: whose data it is (design §1)."""
    return {"source": source} | ({"simulated": True} if source == Source.SIMULATED else {})


class Rows(PageNumberPagination):
    """``page`` and ``page_size``, at most 500 rows at a time."""

    max_page_size = 500
    page_size = 100
    page_size_query_param = "page_size"

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        described: dict[str, Any] = super().get_paginated_response_schema(schema)
        for name, example in (("next", f"{HERE}?page=2"), ("previous", None)):
            described["properties"][name] = {
                "type": ["string", "null"],
                "format": "uri",
                "example": example,
            }
        return described


class Pages(Rows):
    """Pages of one source, which each of them names."""

    source = ""

    def get_paginated_response(self, data: Any) -> Response:
        answer = super().get_paginated_response(data)
        answer.data = label(self.source) | dict(answer.data)
        return answer

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        described: dict[str, Any] = super().get_paginated_response_schema(schema)
        described["properties"] = {"source": SOURCE} | described["properties"]
        described["required"] = ["source", *described.get("required", [])]
        return described
