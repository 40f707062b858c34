from django.apps import AppConfig


class PerformanceConfig(AppConfig):
    """How it turned out."""

    name = "performance"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from performance.services import job_kinds, risk_kinds, score_kinds

        job_kinds.add_kinds()
        risk_kinds.add_kinds()
        score_kinds.add_kinds()  # last: it follows the others
