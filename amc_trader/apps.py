"""The project as an app: makes tasks find their Celery application in every process."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "amc_trader"
    verbose_name = "AMC-TRADER"

    def ready(self) -> None:
        from amc_trader import celery, slow_queries  # noqa: F401 - becomes the current application

        slow_queries.watch_new_connections()
