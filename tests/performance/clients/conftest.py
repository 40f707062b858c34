import httpx
import pytest

from performance.clients.alpaca import Alpaca
from tests.stubs import alpaca_broker


@pytest.fixture
def broker():
    with alpaca_broker.open_for_business() as running:
        yield running


@pytest.fixture
def waits():
    """The seconds that the client would have slept."""
    return []


@pytest.fixture
def alpaca(broker, waits):
    with Alpaca(
        "key-1",
        "secret-1",
        base_url=broker.url,
        sleep=waits.append,
        jitter=lambda: 1.0,
        timeout=httpx.Timeout(0.4),
    ) as client:
        yield client
