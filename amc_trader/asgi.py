"""The web application, for an asynchronous server."""

import os
import sys

from django.core.asgi import get_asgi_application

from amc_trader.environment import SettingsError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "amc_trader.settings")
try:
    application = get_asgi_application()
except SettingsError as error:
    sys.exit(str(error))
