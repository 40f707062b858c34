"""Serve web and admin, with worker and timetable, until Ctrl-C."""

import os
import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = (
        "Keep web, worker and timetable running until Ctrl-C. "
        "WEB_HOST, WEB_PORT and WEB_THREADS say where and how."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        _check_free(settings.WEB_HOST, settings.WEB_PORT)
        self.stdout.write(f"AMC-TRADER is at {settings.SITE_URL}/ (Ctrl-C ends it)")
        self.stdout.flush()
        # A new program, so that the supervisor does not carry all of Django with it.
        os.execv(sys.executable, [sys.executable, "-m", "amc_trader.supervisor"])  # noqa: S606


def _check_free(host: str, port: int) -> None:
    """Find out now, in one sentence, what gunicorn would find out again and again."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"{host}:{port} cannot be listened on ({error.strerror}): set WEB_PORT or WEB_HOST."
            ) from error
