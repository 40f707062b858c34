"""Tasks find their application in every process."""

from celery import current_app

from amc_trader import broker
from amc_trader.celery import app
from analytics.services import job_registry


class TestApp:
    def test_is_the_one_that_tasks_use(self):
        assert current_app.main == app.main == "amc_trader"

    def test_needs_no_server_without_redis(self):
        assert app.conf.broker_url.startswith("spool://")
        assert not app.conf.task_always_eager

    def test_takes_json_only(self):
        assert app.conf.accept_content == ["json"]

    def test_has_redis_wait_longer_than_any_job_and_look_often(self, tmp_path):
        chosen = broker.options(redis_url="redis://host/1", folder=tmp_path)
        options = chosen["CELERY_BROKER_TRANSPORT_OPTIONS"]

        assert broker.LONGEST_TASK_S == job_registry.LONGEST_S
        assert options["visibility_timeout"] > job_registry.LONGEST_S
        assert options["unacked_restore_interval"] * options["unacked_restore_throttle"] <= 10

    def test_gives_a_task_back_if_its_worker_dies(self):
        assert app.conf.task_acks_late is True
        assert app.conf.worker_prefetch_multiplier == 1

    def test_finds_the_tasks_of_the_apps(self):
        app.loader.import_default_modules()

        assert any(name.startswith(("analytics.tasks", "performance.tasks")) for name in app.tasks)
