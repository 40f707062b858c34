import httpx
import pytest

from analytics.clients.http import JsonClient
from tests.stubs import server


@pytest.fixture
def stub():
    with server.running() as running:
        yield running


@pytest.fixture
def waits():
    """The seconds that a client would have slept."""
    return []


@pytest.fixture
def options(waits):
    """How a client is made in tests: it does not sleep."""
    return {
        "sleep": waits.append,
        "jitter": lambda: 1.0,
        "timeout": httpx.Timeout(10.0),
    }


@pytest.fixture
def ask(stub, options):
    """Makes clients of the stub, or of another address, that are closed in the end."""
    made = []

    def make(url="", **more):
        made.append(JsonClient(url or stub.url, provider="Stub", **{**options, **more}))
        return made[-1]

    yield make
    for client in made:
        client.close()
