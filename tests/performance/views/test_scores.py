"""The recovery and timing pages with their cards."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.services import claims
from tests import factories, score_rows
from tests.score_rows import EVENING

pytestmark = pytest.mark.django_db
CARDS = ("recovery", "targets", "roadmap", "timing", "exit-lab")
MOST_QUERIES = 15


@pytest.fixture
def scored(tmp_path, settings):
    factories.make_baseline()
    score_rows.make_scored(tmp_path, settings)
    settings.LAKE_URL = str(tmp_path / "empty")
    claims.record_baseline_audit(source="imported", now=EVENING)


def said(client, url):
    answer = client.get(url)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


class TestRecoveryPage:
    def test_shows_progress_beside_the_claim_and_its_audit(self, staff, scored):
        page = said(staff, "/recovery?range=all")

        assert "behind schedule" in page
        assert "The baseline is a claim" in page
        assert "impossible" in page
        assert "idle cash 19.8 %" in page

    def test_shows_every_check_box_with_its_evidence(self, staff, scored):
        page = said(staff, "/recovery")

        assert page.count('class="amc-boxes"') == 4
        assert "Improve timing to &lt;1 day entry delay" in page
        assert "mean entry delay 1.00 sessions" in page

    def test_shows_current_against_target(self, staff, scored):
        page = said(staff, "/recovery?range=all")

        assert "73.3 %" in page
        assert "n = 30" in page

    def test_has_the_numbers_of_its_chart_as_a_table(self, staff, scored):
        page = said(staff, "/recovery")

        assert 'id="progress-data"' in page
        assert "2024-06-28" in page

    def test_says_what_is_missing_before_anything_is_computed(self, staff):
        page = said(staff, "/recovery")

        assert "Nothing has been computed yet" in page
        assert "No baseline is stored" in page

    def test_of_few_trades_says_insufficient(self, staff, scored):
        page = said(staff, "/recovery?range=7")

        assert "insufficient data" in page
        assert "5 are needed" in page


class TestTimingPage:
    def test_shows_scores_bridge_terciles_and_lab(self, staff, scored):
        page = said(staff, "/timing?range=all")

        for words in ("Market timing score", "left after", "calm", "hold to horizon", "$"):
            assert words in page

    def test_refuses_to_compare_few_trades(self, staff, scored):
        assert "refused: too few trades" in said(staff, "/timing?range=30")

    def test_says_what_is_missing(self, staff):
        assert "Nothing has been timed yet" in said(staff, "/timing")


class TestFrame:
    @pytest.mark.parametrize("url", ["/recovery", "/timing"])
    def test_is_for_staff(self, client, url):
        client.force_login(factories.make_user())

        assert client.get(url).status_code == 302

    @pytest.mark.parametrize("url", ["/recovery", "/timing"])
    def test_carries_no_inline_script_or_style(self, staff, scored, url):
        page = said(staff, url).split('id="amc-page"')[1]

        assert "<style" not in page
        assert " style=" not in page
        scripts = page.split("<script")[1:]
        assert all('type="application/json"' in part.split(">")[0] or "src=" in part.split(">")[0]
                   for part in scripts)  # fmt: skip

    @pytest.mark.parametrize("url", ["/recovery", "/timing"])
    def test_asks_few_times(self, staff, scored, url):
        with CaptureQueriesContext(connection) as queries:
            staff.get(url)

        assert len(queries) <= MOST_QUERIES

    @pytest.mark.parametrize("name", CARDS)
    def test_each_card_refreshes_itself(self, staff, scored, name):
        card = said(staff, f"/cards/{name}?range=90")

        assert card.startswith(f'<section id="{name}-card"')
        assert f'hx-get="/cards/{name}?range=90"' in card

    @pytest.mark.parametrize("name", CARDS)
    def test_a_card_reloads_the_page_where_the_session_has_ended(self, client, name):
        answer = client.get(f"/cards/{name}")

        assert answer["HX-Refresh"] == "true"
