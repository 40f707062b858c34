"""The web application, for gunicorn."""

import os
import sys

from django.core.wsgi import get_wsgi_application

from amc_trader.environment import SettingsError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "amc_trader.settings")
try:
    application = get_wsgi_application()
except SettingsError as error:
    sys.exit(str(error))
