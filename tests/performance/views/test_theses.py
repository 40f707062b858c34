"""The pages of theses: what they say, to whom, and in how many queries."""

import json
import re
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.models import ThesisEvent
from analytics.services import thesis_chain
from tests import factories
from tests.factories import NOW
from tests.thesis_rows import make_settled

URL = "/theses"


def history(count, **fields):
    return [make_settled(hit=at % 4 == 0, **fields) for at in range(count)]


def said(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


class TestWhoMaySee:
    @pytest.mark.parametrize("url", [URL, f"{URL}/1"])
    def test_needs_a_login(self, client, db, url):
        assert client.get(url).status_code == 302

    def test_is_for_staff(self, client, db):
        client.force_login(factories.make_user())

        assert client.get(URL).status_code == 302

    def test_is_read_only(self, staff):
        assert staff.post(URL).status_code == 405


class TestTheses:
    def test_says_that_there_is_nothing(self, staff):
        answer = staff.get(URL)

        assert answer.status_code == 200
        assert "Nothing has settled yet." in said(answer)
        assert "No thesis has been issued yet." in said(answer)

    def test_gives_figures_with_their_evidence_and_links(self, staff):
        history(40)

        answer = staff.get(f"{URL}?range=all")

        assert "25.0 %" in said(answer)
        assert "Wilson" not in said(answer)
        assert "always AVOID" in said(answer)
        assert "73.0 %" in said(answer)
        assert "n = 40" in said(answer)
        assert "/admin/performance/thesisaccuracy/" in answer.content.decode()

    def test_carries_the_diagram_as_data_and_as_a_table(self, staff):
        history(20, p_calibrated=0.25)

        answer = staff.get(f"{URL}?range=all")

        html = answer.content.decode()
        data = json.loads(
            re.search(r'calibration-chart-data"[^>]*>(.*?)</script>', html, re.DOTALL).group(1)
        )
        assert [series["name"] for series in data["series"]] == [
            "as the author said it",
            "calibrated",
        ]
        raw, calibrated = (series["points"][0] for series in data["series"])
        assert (raw[:2], calibrated[:2]) == ([pytest.approx(0.2), 0.25], [0.25, 0.25])
        assert "10 % to 20 %" in said(answer)

    def test_lists_the_wrong_ones_worst_first(self, staff):
        bold = make_settled(hit=False, thesis__p_target=0.9, thesis__symbol="BOLD")
        shy = make_settled(hit=False, thesis__p_target=0.1, thesis__symbol="SHY")
        make_settled(thesis__symbol="GOOD")

        shown = staff.get(f"{URL}?range=all").context["shown"]

        assert [row.pk for row in shown.wrong] == [bold.thesis_id, shy.thesis_id]
        assert {row.symbol for row in shown.newest} == {"BOLD", "SHY", "GOOD"}

    def test_shows_what_waits_and_why(self, staff):
        factories.make_accuracy(reason="the horizon ends on 2024-07-19")
        factories.make_thesis(symbol="NEW")

        answer = said(staff.get(URL))

        assert "the horizon ends on 2024-07-19" in answer
        assert "not looked at yet" in answer

    def test_shows_apart_what_is_no_skill(self, staff):
        history(12, counts_as_skill=False, no_skill_reason="known")

        answer = said(staff.get(f"{URL}?range=all"))

        assert "What never counts as skill" in answer
        assert "12 theses, accuracy 25.0 %" in answer

    def test_of_the_sample_market_says_simulated(self, staff, source):
        source("simulated")

        assert "SIMULATED" in said(staff.get(URL))

    def test_takes_no_more_queries_for_more_rows(self, staff):
        history(3)
        few = _queries(staff, f"{URL}?range=all")
        history(30, thesis__author="somebody")

        assert _queries(staff, f"{URL}?range=all") == few

    def test_leaves_skill_out_where_there_is_one_call(self, staff):
        history(20)

        html = staff.get(f"{URL}?range=all").content.decode()

        cards = {name: html.split(f'aria-label="{name}"')[1].split("</section>")[0]
                 for name in ("By author", "By recommendation")}  # fmt: skip
        assert 'data-label="Skill"' in cards["By author"]
        assert 'data-label="Skill"' not in cards["By recommendation"]
        assert "a constant call itself" in cards["By recommendation"]


class TestCards:
    @pytest.mark.parametrize("name", ["theses/accuracy", "theses/newest"])
    def test_are_the_pieces_of_the_page(self, staff, name):
        history(12)

        card = staff.get(f"/cards/{name}?range=all").content.decode()

        assert 'hx-trigger="every 60s, refresh"' in card
        assert card.strip().split("\n", 1)[1] in staff.get(f"{URL}?range=all").content.decode()

    def test_of_a_thesis_say_how_it_turned_out(self, staff):
        row = make_settled()

        card = staff.get(f"/cards/theses/{row.thesis_id}/settlement").content.decode()

        assert "target first" in card
        assert "<html" not in card

    def test_are_not_found_of_no_thesis(self, staff):
        assert staff.get("/cards/theses/99999/settlement").status_code == 404

    @pytest.mark.parametrize("name", ["accuracy", "newest", "1/settlement"])
    def test_reload_the_page_where_the_session_has_ended(self, client, db, name):
        answer = client.get(f"/cards/theses/{name}")

        assert (answer.status_code, answer["HX-Refresh"]) == (200, "true")


class TestThesis:
    def test_shows_content_and_settlement(self, staff):
        row = make_settled(thesis__text="Volume is high.", thesis__reasons=["Shorts are many."])

        answer = said(staff.get(f"{URL}/{row.thesis_id}"))

        for words in ("Volume is high.", "Shorts are many.", "$4.50", "target first", "right"):
            assert words in answer
        assert "no calibration was known of this author" in answer

    def test_marks_figures_that_are_not_in_the_pack(self, staff):
        mark = {"where": "text", "from": 12, "to": 16, "figure": "42 %"}
        thesis = factories.make_thesis(
            text="It may rise 42 % soon. Maybe.", unsupported=[mark], figures=1, supported_share=0.0
        )

        html = staff.get(f"{URL}/{thesis.pk}").content.decode()

        assert '<mark title="not in the data pack">[unsupported: 42 %]</mark>' in html
        assert "It may rise 42 % soon. <mark" in html

    def test_does_not_run_what_its_author_wrote(self, staff):
        thesis = factories.make_thesis(
            text="<script>alert(1)</script>", reasons=["<b>x</b>"], data_pack={"a": "</pre><i>"}
        )

        html = staff.get(f"{URL}/{thesis.pk}").content.decode()

        assert "<script>alert" not in html
        assert "<b>x" not in html
        assert "</pre><i>" not in html

    def test_shows_what_happened_and_what_was_given(self, staff):
        thesis = factories.make_thesis(data_pack={"close": 2.94}, falsifiers=["close < 3.10"])
        ThesisEvent.objects.create(
            thesis=thesis, kind="falsified", session=date(2024, 7, 1), subject="close < 3.10",
            message="close was 2.90", recorded_at=NOW, source="imported",
        )  # fmt: skip

        answer = said(staff.get(f"{URL}/{thesis.pk}"))

        assert "falsifier triggered" in answer
        assert "close was 2.90" in answer
        assert "close&quot;: 2.94" in answer

    def test_says_whether_the_chain_holds(self, staff):
        forged = factories.make_thesis()  # its digest is made up
        true = factories.make_thesis(symbol="TRUE")
        new = true
        new.pk, new.id, new._state.adding = None, None, True
        new.symbol = "ISSUED"
        new.author = "rules:2"
        thesis_chain.issue(new)

        assert "chain broken" in said(staff.get(f"{URL}/{forged.pk}"))
        assert "chain holds" in said(staff.get(f"{URL}/{new.pk}"))

    def test_says_why_it_is_no_skill(self, staff):
        row = make_settled(counts_as_skill=False, no_skill_reason="the cut-off is not known")

        assert "the cut-off is not known" in said(staff.get(f"{URL}/{row.thesis_id}"))

    def test_is_not_found_if_there_is_none(self, staff):
        assert staff.get(f"{URL}/99999").status_code == 404


def _queries(staff, url):
    staff.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert staff.get(url).status_code == 200
    return len(captured)
