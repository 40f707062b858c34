"""Settings, read from the environment once. `.env.example` lists and explains them."""

import os
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
import environ

from amc_trader import broker, csp, logs, openapi, unfold
from amc_trader.environment import Environment, secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
ENV_FILE = Path(os.environ.get("ENV_FILE", BASE_DIR / ".env"))
if ENV_FILE.is_file():
    environ.Env.read_env(ENV_FILE)
env = Environment(os.environ)
django_stubs_ext.monkeypatch()  # generic classes of Django accept a type argument at run time

# --- Where things are ---------------------------------------------------------------------

VAR_DIR = env.directory("VAR_DIR", default=BASE_DIR / "var")
LAKE_URL = env.location("LAKE_URL", default=VAR_DIR / "lake")
AMC_DATA_DIR = env.existing_directory("AMC_DATA_DIR")
LAYOUT = BASE_DIR / "analytics" / "calc" / "kernels" / "layout.py"
os.environ["NUMBA_CACHE_DIR"] = env.text(
    "NUMBA_CACHE_DIR",
    # the cache of compiled loops does not notice a change of the constants they share
    str(VAR_DIR / "numba" / sha256(LAYOUT.read_bytes()).hexdigest()[:12]),
)

# --- Who may talk to us -------------------------------------------------------------------

WEB_HOST = env.text("WEB_HOST", "127.0.0.1")
WEB_PORT = env.whole("WEB_PORT", default=8000, least=1)
WEB_THREADS = env.whole("WEB_THREADS", default=8, least=1)
SITE_URL = env.url("SITE_URL", ("http", "https"), default=f"http://127.0.0.1:{WEB_PORT}")
DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = secret_key(env.text("SECRET_KEY"), VAR_DIR / "secret_key")
ALLOWED_HOSTS = env.names(
    "ALLOWED_HOSTS",
    default=dict.fromkeys(
        [urlsplit(SITE_URL).hostname or "localhost", "localhost", "127.0.0.1", "[::1]"]
    ),
)
CSRF_TRUSTED_ORIGINS = [SITE_URL]

SECURE = SITE_URL.startswith("https://")
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [
    r"^(analytics/|performance/)?health/?$"
]  # probes ask from inside, without TLS
SECURE_HSTS_SECONDS = env.whole("HSTS_SECONDS", default=31_536_000) if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_SECURE = SECURE
X_FRAME_OPTIONS = "DENY"
BEHIND_PROXY = env.flag("BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- What it is made of -------------------------------------------------------------------

PROCESS = os.environ.get("AMC_PROCESS", "")  # web, worker or beat: set by the supervisor
WITHOUT_PAGES = PROCESS in {"worker", "beat"}
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    # worker and beat show no pages, so they load none
    "django.contrib.admin.apps.SimpleAdminConfig" if WITHOUT_PAGES else "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "import_export",
    "rest_framework",
    "knox",
    "axes",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_celery_beat",
    "django_structlog",
    "anymail",
    "amc_trader.apps.ProjectConfig",
    "analytics",
    "performance",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "amc_trader.csp.Policy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "amc_trader.urls"
WSGI_APPLICATION = "amc_trader.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
UNFOLD = unfold.LOOK
FRAME_HAS_HTMX = "unfold" in INSTALLED_APPS  # loaded twice, it would ask twice
CONTENT_SECURITY_POLICY = {"DIRECTIVES": csp.STRICT}

# --- Where rows, cache entries and jobs go ------------------------------------------------

REDIS_URL = env.url("REDIS_URL", ("redis", "rediss", "unix"))
DATABASES = {"default": env.database("DATABASE_URL", default=VAR_DIR / "amc_trader.sqlite3")}
CACHES: dict[str, dict[str, Any]] = {
    "default": (
        {
            "BACKEND": "amc_trader.caches.Redis",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
        }
        if REDIS_URL
        else {  # not in the database: there every request would wait for a worker that writes
            "BACKEND": "amc_trader.caches.Folder",
            "LOCATION": VAR_DIR / "cache",
            "OPTIONS": {"MAX_ENTRIES": 2000},
        }
    )
}
globals().update(broker.options(redis_url=REDIS_URL, folder=VAR_DIR / "spool"))
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True  # what came of a job is on its row
CELERY_WORKER_POOL = "threads"  # one process; the compiled loops run without Python's lock
CELERY_WORKER_CONCURRENCY = env.whole("WORKER_THREADS", default=2, least=1)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "America/New_York"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_RESULT_EXPIRES = None  # there are none
DJANGO_CELERY_BEAT_TZ_AWARE = True
DJANGO_STRUCTLOG_CELERY_ENABLED = PROCESS != "worker"  # it has a boot step of its own
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = 10  # DEBUG: one line a request is enough

# --- Language, time, people ---------------------------------------------------------------

LANGUAGE_CODE = "en-us"
USE_TZ = True
TIME_ZONE = "America/New_York"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "pages:overview"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = env.whole("LOGIN_ATTEMPTS", default=5, least=1)
AXES_COOLOFF_TIME = timedelta(minutes=env.whole("LOGIN_LOCKOUT_MINUTES", default=15, least=1))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # nobody can lock out others
AXES_CLIENT_IP_CALLABLE = "amc_trader.visitors.get_address"
AXES_LOCKOUT_CALLABLE = "amc_trader.visitors.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True  # the log has it
AXES_ENABLE_ADMIN = False  # ours is in analytics/admin/logins.py
AXES_SENSITIVE_PARAMETERS: list[str] = []  # besides the password: which name was tried is shown
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{validator}"}
    for validator in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- Static files: served by the web process itself ---------------------------------------

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"] if (BASE_DIR / "static").is_dir() else []
STATIC_ROOT = env.text("STATIC_ROOT") or None
WHITENOISE_USE_FINDERS = STATIC_ROOT is None  # no collectstatic step unless one is wanted
WHITENOISE_AUTOREFRESH = DEBUG

# --- API ----------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["amc_trader.api.ApiKey", "amc_trader.api.StaffSession"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["amc_trader.throttles.ByUser", "amc_trader.throttles.ByAddress"],
    "DEFAULT_THROTTLE_RATES": {
        "user": env.rate("API_RATE", default="600/minute"),
        "anon": env.rate("API_RATE_ANONYMOUS", default="60/minute"),
    },
    "EXCEPTION_HANDLER": "amc_trader.api.problem_handler",
}
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_TTL": timedelta(days=90)}
SPECTACULAR_SETTINGS = openapi.SETTINGS

# --- Providers ----------------------------------------------------------------------------

POLYGON_API_KEY = env.text("POLYGON_API_KEY")
POLYGON_BASE_URL = env.url("POLYGON_BASE_URL", ("http", "https"), default="https://api.massive.com")
POLYGON_CALLS_PER_MINUTE = env.whole("POLYGON_CALLS_PER_MINUTE", default=5)  # 0: no limit
ALPACA_API_KEY = env.text("ALPACA_API_KEY")
ALPACA_SECRET_KEY = env.text("ALPACA_SECRET_KEY")
ALPACA_BASE_URL = env.url(
    "ALPACA_BASE_URL", ("http", "https"), default="https://paper-api.alpaca.markets"
)
ALPACA_LIVE = env.flag("ALPACA_LIVE", default=False)  # the account with live money
ALPACA_CALLS_PER_MINUTE = env.whole("ALPACA_CALLS_PER_MINUTE", default=200)
ALPACA_DATA_BASE_URL = env.url(
    "ALPACA_DATA_BASE_URL", ("http", "https"), default="https://data.alpaca.markets"
)
ALPACA_DATA_FEED = env.choice("ALPACA_DATA_FEED", ("sip", "iex"), default="sip")
ALPACA_DATA_CALLS_PER_MINUTE = env.whole("ALPACA_DATA_CALLS_PER_MINUTE", default=200)
CLAUDE_API_KEY = env.text("CLAUDE_API_KEY")
CLAUDE_BASE_URL = env.url("CLAUDE_BASE_URL", ("http", "https"), default="https://api.anthropic.com")
CLAUDE_MODEL = env.text("CLAUDE_MODEL", "claude-sonnet-5-5")
CLAUDE_DAILY_TOKENS = env.whole("CLAUDE_DAILY_TOKENS", default=500_000)
CLAUDE_DAILY_USD = env.amount("CLAUDE_DAILY_USD", default=5.0)
CLAUDE_USD_PER_MILLION = env.text("CLAUDE_USD_PER_MILLION")  # only for a model that is not listed
CLAUDE_TRAINING_CUTOFF = env.day("CLAUDE_TRAINING_CUTOFF")
CLAUDE_TIMEOUT_S = env.whole("CLAUDE_TIMEOUT_S", default=120, least=1)
THESES_PER_SESSION = env.whole("THESES_PER_SESSION", default=5)
SEC_USER_AGENT = env.text("SEC_USER_AGENT")
SEC_BASE_URL = env.url("SEC_BASE_URL", ("http", "https"), default="https://www.sec.gov")
SEC_DATA_BASE_URL = env.url("SEC_DATA_BASE_URL", ("http", "https"), default="https://data.sec.gov")
FINRA_BASE_URL = env.url("FINRA_BASE_URL", ("http", "https"), default="https://cdn.finra.org")
NASDAQ_BASE_URL = env.url(
    "NASDAQ_BASE_URL", ("http", "https"), default="https://www.nasdaqtrader.com"
)

# --- Mail ---------------------------------------------------------------------------------

globals().update(env.mail("EMAIL_URL", folder=VAR_DIR / "mail"))
EMAIL_SUBJECT_PREFIX = "[AMC-TRADER] "
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("MAIL_FROM", "amc-trader@localhost")
REPORT_RECIPIENTS = env.names("REPORT_RECIPIENTS")
REPORT_WEBHOOK_URL = env.url("REPORT_WEBHOOK_URL", ("http", "https"))
TELEGRAM_BASE_URL = env.url(
    "TELEGRAM_BASE_URL", ("http", "https"), default="https://api.telegram.org"
)

# --- Orders: a person confirms each; nothing is sent unless these say so -------------------

TRADING_ENABLED = env.flag("TRADING_ENABLED", default=False)
TRADING_LIVE_ALLOWED = env.flag("TRADING_LIVE_ALLOWED", default=False)  # with ALPACA_LIVE
POSITION_SIZE_LIMIT = env.amount("POSITION_SIZE_LIMIT", default=0.10)  # of equity, design §14

# --- The product's own --------------------------------------------------------------------

ROADMAP_START = env.day("ROADMAP_START")  # None: the day of the first import
LOG_LEVEL = env.choice("LOG_LEVEL", logs.LEVELS, default="INFO")
LOG_FORMAT = env.choice("LOG_FORMAT", ("auto", "console", "json"), default="auto")
LOG_LEVELS = {
    component: env.choice(
        f"LOG_LEVEL_{component}",
        (*logs.LEVELS, logs.INHERIT),
        default=logs.QUIET.get(component, LOG_LEVEL),
    )
    for component in logs.COMPONENTS
}
logs.configure()
LOGGING = logs.logging_config(by_component=LOG_LEVELS, form=LOG_FORMAT)
