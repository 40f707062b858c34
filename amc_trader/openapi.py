"""The description of the API, as data: what it is called and how its pages behave."""

from typing import Any

DESCRIPTION = """
What AMC-TRADER said before the market moved, and how it turned out.

Returns, rates and shares are fractions (0.25 is +25 %); only keys that the mission fixed are
percentages. `source` says whose rows an answer shows; answers from the sample market carry
`"simulated": true`. A figure that cannot be given has `value: null` and says why.

A key is made in the admin under *API keys* and sent as `Authorization: Bearer KEY`. Errors are
RFC 9457 problem documents. No slash at the end of a URL is needed; one is accepted.
"""
ALIVE = {  # the one URL that is no view of the API
    "get": {
        "operationId": "health",
        "tags": ["health"],
        "summary": "Liveness",
        "description": "200 while the process lives. It asks neither database nor lake.",
        "security": [{}],
        "responses": {
            "200": {
                "description": "Alive.",
                "content": {"application/json": {"example": {"status": "alive"}}},
            }
        },
    }
}
SETTINGS: dict[str, Any] = {
    "TITLE": "AMC-TRADER",
    "DESCRIPTION": DESCRIPTION.strip(),
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAdminUser"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "displayRequestDuration": True},
    "APPEND_PATHS": {"/health": ALIVE},
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "HealthStatus": ["HEALTHY", "UNKNOWN", "WARNING", "CRITICAL"],
        "LatestStatus": ["ok", "simulated", "insufficient_data"],
        "MeasuredHealth": "performance.models.HealthStatus",
        "MeasuredSource": ["imported", "live", "simulated"],
        "OutcomeStatus": "performance.models.OutcomeStatus",
        "Source": "analytics.models.Source",
        "TradeSide": "performance.models.TradeSide",
        "TradeStatus": "performance.models.TradeStatus",
    },
    "SORT_OPERATION_PARAMETERS": False,
    "PREPROCESSING_HOOKS": ["amc_trader.schema.without_final_slash"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "amc_trader.schema.add_problems",
    ],
    "TAGS": [
        {"name": "analytics", "description": "What was said before the market moved."},
        {"name": "performance", "description": "How it turned out."},
        {"name": "evidence", "description": "Whether it can be believed."},
        {"name": "jobs", "description": "Work that takes longer than an answer may."},
        {"name": "reports", "description": "By mail, as a page, as PDF."},
        {"name": "health", "description": "For probes: open, details only for staff."},
    ],
}
