"""The pages in a real browser, on a real site with web process and worker."""

import csv
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = {  # in the order of the navigation, each with its main heading
    "/": "Overview", "/candidates": "Screener", "/symbols/SYMA": "SYMA", "/symbols/NOPE": "NOPE",
    "/theses": "Theses", "/theses/1": "Thesis 1", "/portfolio": "Portfolio", "/risk": "Risk",
    "/timing": "Timing", "/recovery": "Recovery", "/backtest": "Backtest",
    "/report": "Comprehensive performance report", "/system": "System health",
    "/admin/analytics/alert/": "Alerts", "/admin/performance/mailreport/": "Mail reports",
    "/admin/performance/orderproposal/": "Order proposals", "/admin/performance/fill/": "Fills",
}  # fmt: skip
SIZES = [(1440, 900), (390, 844)]


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def refresh(page: Page) -> None:
    page.evaluate("htmx.trigger('#latest-card', 'refresh')")


class TestPages:
    def test_open_without_a_complaint_and_fit_the_screen(self, visit: Visit):
        page, wrong = visit.page, []
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            for address, heading in PAGES.items():
                page.emulate_media(color_scheme="light")
                answer = page.goto(f"{visit.site.url}{address}")
                if answer is None or answer.status != 200:
                    wrong.append((address, "does not answer 200"))
                if heading not in " ".join(page.locator("h1").all_inner_texts()):
                    wrong.append((address, f"has no heading {heading}"))
                for scheme in ("light", "dark"):
                    page.emulate_media(color_scheme=scheme)
                    if page.evaluate("document.documentElement.scrollWidth") > width:
                        wrong.append((address, f"is wider than {width} px, {scheme}"))
                wrong += [(address, complaint) for complaint in visit.complaints]
                visit.complaints.clear()

        assert wrong == []

    def test_draw_the_chart_and_give_its_numbers_as_a_table(self, visit: Visit):
        page = visit.open("/symbols/SYMA?range=90")

        expect(page.locator("#symbol-chart svg")).to_be_visible()
        assert "closes between" in (page.get_attribute("#symbol-chart", "aria-label") or "")
        page.get_by_text("Show data").click()
        assert page.locator("details tbody tr").count() > 50

    def test_draw_how_often_it_came_true(self, visit: Visit):
        page = visit.open("/theses?range=all")

        expect(page.locator("#calibration-chart svg")).to_be_visible()
        page.get_by_text("Show data").click()
        expect(page.get_by_role("table", name="Reliability by bin")).to_be_visible()
        page.get_by_role("table", name="Newest theses").get_by_role("link").first.click()
        page.wait_for_url(re.compile(r"/theses/\d+$"))
        expect(page.get_by_role("region", name="Settlement")).to_be_visible()

    def test_redraw_the_chart_when_the_theme_changes(self, visit: Visit):
        page = visit.open("/symbols/SYMA?range=90")
        before = page.locator("#symbol-chart svg").inner_html()

        page.evaluate("document.documentElement.classList.toggle('dark')")

        page.wait_for_function(
            "before => document.querySelector('#symbol-chart svg').innerHTML !== before", arg=before
        )

    def test_explain_a_signal_on_demand(self, visit: Visit):
        page = visit.open("/symbols/SYMA")

        page.get_by_role("button", name=re.compile("Explain the last bar")).click()

        expect(page.locator("#explanation")).to_contain_text("price band", timeout=60_000)
        assert visit.complaints == []

    def test_find_a_symbol_by_keyboard(self, visit: Visit):
        page = visit.open("/")

        page.keyboard.press("/")
        page.keyboard.type("syma")
        page.keyboard.press("Enter")

        page.wait_for_url(re.compile("/symbols/SYMA$"))


class TestCards:
    def test_refresh_in_place_and_keep_the_focus(self, visit: Visit):
        page = visit.open("/")
        page.evaluate("document.querySelector('#latest-card').dataset.old = 'yes'")
        page.locator("#latest-card a").first.focus()
        focused = page.evaluate("document.activeElement.textContent")

        refresh(page)

        page.wait_for_selector("#latest-card:not([data-old])")
        assert page.evaluate("document.activeElement.textContent") == focused

    def test_ask_nothing_while_the_page_is_paused(self, visit: Visit):
        page = visit.open("/")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))

        page.get_by_role("button", name="Pause refresh").click()
        page.evaluate(
            "htmx.ajax('GET', '/cards/funnel', {source: '#funnel-card', swap: 'outerHTML'})"
        )

        expect(page.get_by_role("button", name="Resume refresh")).to_have_attribute(
            "aria-pressed", "true"
        )
        assert not [url for url in asked if "/cards/" in url]

    def test_call_old_data_stale_whatever_the_server_says(self, visit: Visit):
        page = visit.open("/")

        expect(page.locator("#latest-card .amc-badge").first).to_contain_text("STALE")

    def test_call_new_data_late_when_time_passes_without_the_server(self, visit: Visit):
        visit.page.clock.install()
        page = visit.open("/")
        badge = page.locator("#jobs-card .amc-fresh .amc-badge")
        expect(badge).to_contain_text("CURRENT")
        page.get_by_role("button", name="Pause refresh").click()

        page.clock.fast_forward("03:00")

        expect(badge).to_contain_text("DELAYED")

    def test_keep_the_last_good_data_and_say_so_when_the_server_is_gone(self, visit: Visit):
        page = visit.open("/")
        symbols = page.locator("#latest-card tbody").inner_text()
        badge = page.locator("#latest-card .amc-fresh .amc-badge")
        visit.site.stop()
        try:
            refresh(page)

            expect(badge).to_contain_text("OFFLINE")
            expect(page.locator("#latest-card .age")).to_contain_text("last good data")
            assert page.locator("#latest-card tbody").inner_text() == symbols
            expect(page.locator("#amc-status")).to_contain_text("Latest candidates: OFFLINE")
        finally:
            visit.site.start()

        refresh(page)
        expect(badge).to_contain_text("STALE")

    def test_reload_the_page_when_the_session_has_ended(self, visit: Visit):
        page = visit.open("/")
        page.context.clear_cookies()

        refresh(page)

        page.wait_for_url(re.compile("/admin/login/"))


class TestScreener:
    def test_keeps_filters_in_the_address(self, visit: Visit):
        page = visit.open("/candidates?range=all")

        page.get_by_label("Symbol", exact=True).last.fill("SYMB")

        page.wait_for_url(re.compile("symbol=SYMB"))
        symbols = page.locator("#screener-table tbody th").all_inner_texts()
        assert symbols
        assert set(symbols) == {"SYMB"}
        assert query(page)["range"] == ["all"]

    def test_keeps_the_order_in_the_address_and_goes_back(self, visit: Visit):
        page = visit.open("/candidates?range=all")

        page.get_by_role("link", name="Close", exact=True).click()

        page.wait_for_url(re.compile("sort=-close"))
        expect(page.locator("th[aria-sort=descending]")).to_contain_text("Close")
        page.go_back()
        expect(page.locator("th[aria-sort=descending]")).to_contain_text("Session")
        assert visit.complaints == []

    def test_changes_the_range_for_the_whole_page(self, visit: Visit):
        page = visit.open("/candidates?range=all&variant=B")

        page.get_by_role("link", name="7 d", exact=True).click()

        page.wait_for_url(re.compile("range=7"))
        assert query(page)["variant"] == ["B"]
        expect(page.locator("#screener-table")).to_contain_text("2024-06-21 to 2024-06-27")

    def test_downloads_what_is_shown(self, visit: Visit, tmp_path):
        page = visit.open("/candidates?range=all&symbol=SYMC")
        said = page.locator("#screener-table p strong").inner_text()

        with page.expect_download() as found:
            page.get_by_role("link", name=re.compile("as CSV")).click()

        found.value.save_as(tmp_path / "rows.csv")
        header, *rows = csv.reader((tmp_path / "rows.csv").read_text().splitlines())
        assert said == f"n = {len(rows)}"
        assert {row[header.index("symbol")] for row in rows} == {"SYMC"}

    def test_keeps_its_heading_in_sight(self, visit: Visit):
        page = visit.open("/candidates?range=all")
        heading = page.locator("#screener-table thead th").first
        before = heading.bounding_box()

        page.locator(".amc-table-box").evaluate("box => box.scrollTo(0, 400)")

        assert heading.bounding_box() == before


class TestDiscovery:
    def test_moves_its_bar_and_lands(self, visit: Visit):
        page = visit.open("/?range=7")
        expect(page.locator("#latest-card h2")).to_contain_text("2024-06-27")

        page.get_by_role("button", name="Run discovery").click()

        progress = page.locator("#job-progress")
        expect(progress).to_contain_text("Discovery 2024-06-28")
        expect(progress.locator("progress")).to_be_visible()
        expect(progress).to_contain_text("succeeded", timeout=90_000)
        expect(page.locator("#latest-card h2")).to_contain_text("2024-06-28")
        expect(page.locator("#jobs-card")).to_contain_text("by ann")
        progress.get_by_role("link", name="Its candidates").click()
        expect(page.locator("#screener-table tbody tr").first).to_be_visible()
        assert visit.complaints == []
