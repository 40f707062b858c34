"""What every page shares: who may see it, its range, its frame, its policy."""

from datetime import date
from pathlib import Path

import django.contrib.admin
import pytest
from django.conf import settings as configured
from django.http import QueryDict
from django.urls import reverse

from performance.calc.spans import DEFAULT, WHOLE, Span
from performance.views import frame
from tests import factories, small_market

PAGES = ["/", "/candidates", "/symbols/VIGL"]
CARDS = ["latest", "funnel", "outcomes", "volume-events", "jobs"]


@pytest.fixture
def vigl(db, settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    factories.make_tracking(candidate=factories.make_candidate(session=small_market.LAST))
    return small_market.store(tmp_path)


@pytest.fixture
def stock_admin(settings):
    """Django's own admin in place of the theme."""
    plain = Path(django.contrib.admin.__file__).parent / "templates"
    (engine,) = configured.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [*engine["DIRS"], plain]}]
    settings.FRAME_HAS_HTMX = False


@pytest.mark.usefixtures("vigl")
class TestPages:
    @pytest.mark.parametrize("address", PAGES)
    def test_are_shown_to_staff(self, staff, address):
        assert staff.get(address).status_code == 200

    @pytest.mark.parametrize("address", [*PAGES, "/candidates.csv", "/symbols?symbol=VIGL"])
    def test_send_strangers_to_the_login_and_back(self, client, address):
        answer = client.get(address)

        assert answer.status_code == 302
        assert answer.url.startswith(reverse("admin:login"))

    @pytest.mark.parametrize("address", PAGES)
    def test_are_not_shown_to_people_who_are_not_staff(self, client, address):
        client.force_login(factories.make_user())

        assert client.get(address).status_code == 302

    @pytest.mark.parametrize("address", PAGES)
    def test_say_simulated_where_the_rows_are_and_only_there(
        self, staff, source, settings, tmp_path, address
    ):
        small_market.store(tmp_path, source="simulated")

        real = staff.get(address)
        source("simulated")
        simulated = staff.get(address)

        assert b"amc-simulated" not in real.content
        assert b"amc-simulated" in simulated.content

    @pytest.mark.parametrize("address", PAGES)
    def test_load_htmx_once(self, staff, address):
        assert staff.get(address).content.count(b"htmx.js") == 1

    @pytest.mark.parametrize("address", PAGES)
    def test_stand_in_the_stock_admin_as_well(self, staff, stock_admin, address):
        answer = staff.get(address)

        assert answer.status_code == 200
        assert b"amc-page" in answer.content
        assert b"unfold" not in answer.content
        assert answer.content.count(b"htmx-2.min.js") == 1

    @pytest.mark.parametrize("address", PAGES)
    def test_have_no_script_of_their_own_in_the_page(self, staff, stock_admin, address):
        said = staff.get(address).content.decode()
        own = said[said.index('id="amc-page"') :]

        inline = [part for part in own.split("<script")[1:] if "src=" not in part.split(">")[0]]
        assert all('type="application/json"' in part for part in inline)
        assert " style=" not in own.split("</main>")[0]
        assert " onclick=" not in own

    @pytest.mark.parametrize("address", PAGES)
    def test_keep_nothing_in_caches(self, staff, address):
        assert "no-store" in staff.get(address)["Cache-Control"]


@pytest.mark.django_db
class TestCards:
    @pytest.mark.parametrize("card", CARDS)
    def test_are_the_same_piece_as_on_the_page(self, staff, card):
        answer = staff.get(f"/cards/{card}?range=30", headers={"HX-Request": "true"})

        assert answer.status_code == 200
        assert answer.content.decode().lstrip().startswith(f'<section id="{card}-card"')
        assert b'hx-trigger="every 60s, refresh"' in answer.content
        assert b"range=30" in answer.content

    @pytest.mark.parametrize("card", CARDS)
    def test_reload_the_page_when_the_session_has_ended(self, client, card):
        answer = client.get(f"/cards/{card}", headers={"HX-Request": "true"})

        assert answer["HX-Refresh"] == "true"
        assert not answer.content

    @pytest.mark.parametrize("card", CARDS)
    def test_have_a_name_a_time_and_a_source(self, staff, card):
        factories.make_analysis(batch=factories.make_candidate().batch)

        said = staff.get(f"/cards/{card}").content.decode()

        assert "data-card aria-label=" in said
        assert "data-as-of=" in said
        assert "source:" in said


class TestAskedSpan:
    @pytest.mark.parametrize(
        ("query", "span"),
        [
            ("", DEFAULT),
            ("range=7", Span(days=7)),
            ("range=all", WHOLE),
            ("range=12", DEFAULT),
            ("range=<script>", DEFAULT),
            ("from=2024-06-03&range=7", Span(first=date(2024, 6, 3))),
            ("from=2024-06-03&to=2024-06-01", DEFAULT),
            ("from=yesterday", DEFAULT),
        ],
    )
    def test_understands_or_falls_back(self, query, span):
        assert frame.asked_span(QueryDict(query)) == span


class TestAddress:
    def test_keeps_the_rest_and_goes_back_to_the_first_page(self):
        query = QueryDict("variant=B&flag=a&flag=b&page=3&sort=score")

        assert frame.address(query, sort="-score") == "?variant=B&flag=a&flag=b&sort=-score"

    def test_turns_pages(self):
        assert frame.address(QueryDict("variant=B&page=3"), page=4) == "?variant=B&page=4"
