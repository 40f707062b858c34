import pytest

from analytics.clients.pace import MINUTE, Limit
from analytics.services import providers
from analytics.services.providers import NotConfigured


class TestConnect:
    @pytest.mark.parametrize(
        ("connect", "name"),
        [
            (providers.connect_polygon, "POLYGON_API_KEY"),
            (providers.connect_alpaca_data, "ALPACA_API_KEY"),
            (providers.connect_sec, "SEC_USER_AGENT"),
        ],
    )
    def test_names_the_setting_that_is_missing(self, connect, name):
        with pytest.raises(NotConfigured, match=name):
            connect()

    def test_asks_the_sec_for_nothing_without_an_address(self, settings):
        settings.SEC_USER_AGENT = "amc-trader"

        with pytest.raises(NotConfigured, match="wants an address"):
            providers.connect_sec()

    def test_keeps_the_rate_of_the_plan(self, settings, tmp_path):
        settings.POLYGON_API_KEY, settings.VAR_DIR = "key", tmp_path
        settings.POLYGON_CALLS_PER_MINUTE = 7

        with providers.connect_polygon() as polygon:
            assert polygon.http.pace.limit == Limit(calls=7, window=MINUTE)
            polygon.http.pace.take_turn()

        assert (tmp_path / "pace" / "polygon.json").exists()

    def test_has_no_limit_if_the_plan_has_none(self, settings):
        settings.POLYGON_API_KEY, settings.POLYGON_CALLS_PER_MINUTE = "key", 0

        with providers.connect_polygon() as polygon:
            assert polygon.http.pace is None

    def test_connects_to_all_that_is_configured(self, settings, tmp_path):
        settings.VAR_DIR = tmp_path
        settings.ALPACA_API_KEY = settings.ALPACA_SECRET_KEY = "k"
        settings.SEC_USER_AGENT = "Amc Trader ops@example.com"

        for connect in (
            providers.connect_alpaca_data,
            providers.connect_sec,
            providers.connect_finra,
            providers.connect_nasdaq,
        ):
            connect().close()

        assert providers.has_alpaca_data()
        assert providers.has_sec()
        assert not providers.has_polygon()
