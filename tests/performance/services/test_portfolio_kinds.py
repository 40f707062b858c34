"""The jobs of the portfolio: with and without keys, and what they say."""

import pytest

from analytics.models import JobRun
from analytics.services.job_registry import get_kind
from analytics.services.providers import NotConfigured
from performance.models import Account
from performance.services import portfolio_kinds
from tests import factories
from tests.factories import NOW
from tests.stubs import alpaca_broker as wire

pytestmark = pytest.mark.django_db


class Silent:
    def __init__(self):
        self.said = []

    def now(self):
        return NOW

    def progress(self, current, total=None, message=""):
        self.said.append(message)


@pytest.fixture(autouse=True)
def lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    settings.VAR_DIR = tmp_path


@pytest.fixture
def broker(settings):
    with wire.open_for_business() as running:
        settings.ALPACA_API_KEY, settings.ALPACA_SECRET_KEY = "key", "secret"
        settings.ALPACA_BASE_URL = running.url
        yield running


def run(kind, **arguments):
    return get_kind(kind).work(arguments, Silent())


class TestSync:
    def test_makes_the_account_and_asks_for_its_scores(self, broker):
        told = run(portfolio_kinds.SYNC, source="live")

        assert Account.objects.get().pk == told["account"]
        assert "1 differences" in told["message"]  # the broker has cash that the ledger has not
        scores = JobRun.objects.filter(kind="refresh_scores")
        assert [job.arguments for job in scores] == [{"source": "live"}]

    def test_needs_keys(self):
        with pytest.raises(NotConfigured):
            run(portfolio_kinds.SYNC)

    def test_is_asked_for_only_with_keys(self, settings):
        assert portfolio_kinds.request_sync(now=NOW) is None
        settings.ALPACA_API_KEY = settings.ALPACA_SECRET_KEY = "x"

        assert portfolio_kinds.request_sync(now=NOW).kind == portfolio_kinds.SYNC


class TestReconcile:
    def test_says_how_many_differences_stand(self, broker):
        account = factories.make_account()

        assert run(portfolio_kinds.RECONCILE, account=account.pk)["differences"] == 1


class TestRebuild:
    def test_takes_active_accounts_or_one(self):
        factories.make_account(name="asleep", is_active=False)
        awake = factories.make_account(name="awake")

        assert run(portfolio_kinds.REBUILD)["message"] == "awake: 0 trades, 0 findings"
        assert "awake" in run(portfolio_kinds.REBUILD, account=awake.pk)["message"]

    def test_of_no_account_says_so(self):
        with pytest.raises(portfolio_kinds.NoAccount):
            run(portfolio_kinds.REBUILD, account=99)
