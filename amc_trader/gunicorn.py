"""The web server's configuration: one process, several threads."""

import os
import signal
from typing import Any

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "amc_trader.settings")
wsgi_app = "amc_trader.wsgi:application"
bind = f"{settings.WEB_HOST}:{settings.WEB_PORT}"
worker_class = "gthread"
workers = 1
threads = settings.WEB_THREADS
timeout = 60
graceful_timeout = 10
loglevel = "warning"
# Its own lines look like all others; dictConfig takes its own handlers away.
logconfig_dict = {
    **settings.LOGGING,
    "loggers": {
        **settings.LOGGING["loggers"],
        "gunicorn.error": {"level": settings.LOG_LEVELS["SERVER"], "propagate": True},
        "gunicorn.access": {"level": "WARNING", "propagate": True},
    },
}
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """Watch over the workers, and let Ctrl-C end this process in order: it answers, then goes.

    The terminal's signal is left to the master, which sends SIGQUIT. gunicorn's own answer to
    that closes the thread pool inside the signal handler, which waits for itself for ever if
    the pool was just starting a thread.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGQUIT, worker.handle_exit)
    from amc_trader import watch  # loads models, which are there by now

    watch.start()
