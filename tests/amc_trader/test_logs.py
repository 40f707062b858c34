"""Log lines: JSON for machines, no secrets, a level for each component."""

import json
import logging
import logging.config

import pytest
import structlog
from django.conf import settings

from amc_trader import logs

LEVELS = dict.fromkeys(logs.COMPONENTS, "INFO")


@pytest.fixture
def configured():
    """Configure logging as a process would; put back what was there."""

    def configure(form="json", **levels):
        logging.config.dictConfig(logs.logging_config(by_component={**LEVELS, **levels}, form=form))

    yield configure
    structlog.contextvars.clear_contextvars()
    logging.config.dictConfig(settings.LOGGING)


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


class TestLogs:
    def test_are_json_with_the_ids_they_belong_to(self, configured, capsys):
        configured()
        structlog.contextvars.bind_contextvars(request_id="abc", job_id=7)

        logging.getLogger("analytics.services.jobs").info("scanned %s", "2024-06-28")

        (line,) = lines(capsys)
        assert line["event"] == "scanned 2024-06-28"
        assert (line["request_id"], line["job_id"], line["level"]) == ("abc", 7, "info")

    def test_show_no_local_variables(self, configured, capsys):
        configured()
        secret = "hunter2"
        try:
            int(secret[:1])
        except ValueError:
            logging.getLogger("analytics").exception("reading")

        assert "hunter2" not in capsys.readouterr().err

    def test_are_keys_and_values_on_a_terminal(self, configured, capsys):
        configured("console")

        structlog.get_logger("analytics").info("scanned", sessions=3)

        assert "sessions=3" in capsys.readouterr().err

    def test_are_as_loud_as_the_component_is_set(self, configured, capsys):
        configured(JOBS="WARNING", ANALYTICS="DEBUG")

        logging.getLogger("analytics.services.job_running").info("hidden")
        logging.getLogger("analytics.services.discovery").debug("shown")

        assert [line["event"] for line in lines(capsys)] == ["shown"]

    def test_have_a_setting_for_each_component(self):
        assert set(settings.LOG_LEVELS) == set(logs.COMPONENTS)


class TestPerformanceAnalytics:
    @pytest.mark.parametrize("app", ["analytics", "performance"])
    def test_sets_the_level_of_both_apps(self, app):
        logger = logging.getLogger(f"{app}.services.anything")
        whole = logging.getLogger("performance_analytics")
        before, own = whole.level, logging.getLogger(app).level
        logging.getLogger(app).setLevel(logging.NOTSET)
        try:
            whole.setLevel(logging.DEBUG)
            assert logger.isEnabledFor(logging.DEBUG)
            whole.setLevel(logging.ERROR)
            assert not logger.isEnabledFor(logging.INFO)
        finally:
            whole.setLevel(before)
            logging.getLogger(app).setLevel(own)
