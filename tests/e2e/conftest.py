"""A browser and a site to look at. Both are started once for all tests of this folder."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.browsers import find_browser
from tests.e2e import fill
from tests.e2e.site import Site

QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a small market, most of it scanned and settled."""
    started = Site(Path(tmp_path_factory.mktemp("site")))
    yield started
    started.close()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    started = playwright.chromium.launch(executable_path=find_browser(), args=QUIET)
    yield started
    started.close()


@pytest.fixture(scope="session")
def login(browser: Browser, site: Site) -> dict[str, object]:
    """The cookies of a person who has logged in through the form."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site.url}/admin/login/")
    page.fill("[name=username]", fill.PERSON)
    page.fill("[name=password]", fill.PASSWORD)
    page.click("[type=submit]")
    page.wait_for_url(f"{site.url}/")
    kept: dict[str, object] = dict(context.storage_state())
    context.close()
    return kept


@dataclass
class Visit:
    """A page of the site, and everything its console complained about."""

    page: Page
    site: Site
    complaints: list[str] = field(default_factory=list)

    def open(self, address: str) -> Page:
        self.page.goto(f"{self.site.url}{address}")
        return self.page


@pytest.fixture
def visit(browser: Browser, site: Site, login: dict[str, object]) -> Iterator[Visit]:
    context = browser.new_context(storage_state=login, accept_downloads=True)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(15_000)
    made = Visit(page=page, site=site)
    page.on(
        "console",
        lambda said: (
            made.complaints.append(said.text) if said.type in ("error", "warning") else None
        ),
    )
    page.on("pageerror", lambda error: made.complaints.append(str(error)))
    yield made
    context.close()
