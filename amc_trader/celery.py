"""The Celery application. Settings whose name starts with ``CELERY_`` are its own."""

import logging.config
import os
import sys
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_ready
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep

from amc_trader import spool
from amc_trader.environment import SettingsError

ABANDONED_S = 86_400  # age at which the claims of killed workers are cleared away

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "amc_trader.settings")
try:
    settings.configured or settings.VAR_DIR  # noqa: B018 - reads the settings now, not in a task
except SettingsError as error:
    sys.exit(str(error))

app = Celery("amc_trader")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)
if os.environ.get("AMC_SUPERVISED") and os.environ.get("AMC_PROCESS") == "worker":
    from amc_trader import thrift

    thrift.watch()


@setup_logging.connect
def use_our_logging(**_signal: Any) -> None:
    """Have worker and beat log like the web process."""
    logging.config.dictConfig(settings.LOGGING)


@worker_ready.connect
def clear_spool(**_signal: Any) -> None:
    """Clear away what workers that were killed long ago had claimed."""
    folder = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("folder")
    if folder:
        spool.forget_claims(Path(folder), older_than_s=ABANDONED_S)
