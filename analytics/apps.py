from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """What we say before the market moves."""

    name = "analytics"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from analytics.services import job_kinds

        job_kinds.add_kinds()
