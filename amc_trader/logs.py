"""Logs as events with keys and values: lines for a terminal, JSON for machines.

Every line carries the id of the request or the job it belongs to: a request's id travels with
its message to the worker.
"""

import logging
import sys
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# Loggers by component, each with a setting LOG_LEVEL_<component> of its own.
COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "PERFORMANCE_ANALYTICS": ("performance_analytics",),
    "ANALYTICS": ("analytics",),
    "PERFORMANCE": ("performance",),
    "JOBS": ("analytics.services.job_running", "analytics.services.job_reaping",
             "analytics.services.job_messages", "analytics.tasks", "amc_trader.spool",
             "amc_trader.broker"),
    "CELERY": ("celery", "kombu", "django_celery_beat", "django_structlog.celery"),
    "WEB": ("amc_trader", "django_structlog.middlewares"),
    "DJANGO": ("django",),
    "DATABASE": ("django.db.backends",),
    "SERVER": ("gunicorn",),
}  # fmt: skip
# The owner's name for the whole: both apps follow its level where they have none of their own,
# also when somebody sets it in a shell.
WHOLE = "performance_analytics"
FOLLOWERS = ("analytics", "performance")
INHERIT = "NOTSET"
QUIET = {
    "ANALYTICS": INHERIT,
    "PERFORMANCE": INHERIT,
    "CELERY": "WARNING",
    "DJANGO": "WARNING",
    "DATABASE": "WARNING",
    "SERVER": "WARNING",
}

_BOTH: list[Any] = [  # for our own events and for those of libraries
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def configure() -> None:
    """Send structlog's events through the standard library's handlers."""
    for name in FOLLOWERS:
        logging.getLogger(name).parent = logging.getLogger(WHOLE)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_BOTH,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def logging_config(*, by_component: Mapping[str, str], form: str) -> dict[str, Any]:
    """Return Django's ``LOGGING``.

    Args:
        by_component: Level by component.
        form: ``json``, ``console``, or ``auto``: console on a terminal, JSON elsewhere.
    """
    loggers: dict[str, dict[str, Any]] = {
        name: {"level": by_component[component]}
        for component, names in COMPONENTS.items()
        for name in names
    }
    loggers["django"] |= {"handlers": [], "propagate": True}
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": "amc_trader.logs.json_formatter"},
            "console": {"()": "amc_trader.logs.console_formatter"},
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "json" if as_json else "console",
            }
        },
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": loggers,
    }


def json_formatter() -> logging.Formatter:
    """Return a formatter that writes one JSON object a line."""
    return structlog.stdlib.ProcessorFormatter(processors=_to_json(), foreign_pre_chain=_BOTH)


def console_formatter() -> logging.Formatter:
    """Return a formatter that writes keys and values for people."""
    return structlog.stdlib.ProcessorFormatter(processors=_to_lines(), foreign_pre_chain=_BOTH)


def _to_json() -> list[Any]:
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        # no local variables: they hold keys and passwords
        structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
        structlog.processors.JSONRenderer(default=str),
    ]


def _to_lines() -> list[Any]:
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        ),
    ]
