import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from analytics.calc import sessions
from analytics.models import JobRun, Thesis
from analytics.services import lakes, theses
from tests import factories, thesis_records
from tests.factories import NOW, SESSION

pytestmark = pytest.mark.django_db
WRITE = "admin:analytics_thesis_write_by_hand"
GIVEN = {
    "symbol": "vigl",
    "session": SESSION.isoformat(),
    "recommendation": "BUY",
    "entry": "2.94",
    "target": "3.9",
    "stop": "2.5",
    "max_entry": "3.1",
    "horizon": "14",
    "p_target": "30",
    "text": "Volume was 4.0x, and I heard of 99% growth.",
    "reasons": "First.\n\nSecond.",
    "falsifiers": "close < 2.50\nrel_volume < 2 for 3 sessions",
}


@pytest.fixture(autouse=True)
def imported(monkeypatch, settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    monkeypatch.setattr(lakes, "get_active_source", lambda: "imported")


@pytest.fixture
def candidate():
    return factories.make_candidate(atr_pct_14=0.07, volatility_20=0.06)


class TestWriteByHand:
    def test_freezes_what_a_person_wrote(self, admin_client, admin_user, candidate):
        page = admin_client.post(reverse(WRITE), GIVEN, follow=True)

        thesis = Thesis.objects.get()
        assert page.status_code == 200
        assert (thesis.author, thesis.author_kind, thesis.written_by) == (
            admin_user.username, "person", admin_user,
        )  # fmt: skip
        assert (thesis.candidate, thesis.p_target, thesis.number) == (candidate, 0.3, 1)
        assert thesis.reasons == ["First.", "Second."]
        assert [mark["figure"] for mark in thesis.unsupported] == ["99%"]

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"symbol": "NONE"}, "NONE is no candidate of 2024-06-28"),
            ({"stop": "3.5"}, "stop"),
            ({"falsifiers": "it falls"}, "it falls"),
            ({"p_target": "130"}, "100"),
            ({"text": ""}, "required"),
        ],
        ids=["symbol", "stop", "falsifier", "probability", "text"],
    )
    def test_says_what_is_wrong_and_loses_nothing(self, admin_client, candidate, change, said):
        page = admin_client.post(reverse(WRITE), GIVEN | change)

        text = page.content.decode()
        assert page.status_code == 200
        assert said in text
        assert "rel_volume &lt; 2 for 3 sessions" in text or "falsifiers" in change
        assert not Thesis.objects.exists()

    def test_needs_permission(self, client, person, candidate):
        person.user_permissions.add(Permission.objects.get(codename="view_thesis"))
        client.force_login(person)

        assert client.post(reverse(WRITE), GIVEN).status_code == 403

    def test_begins_with_what_the_address_says(self, admin_client):
        page = admin_client.get(reverse(WRITE), {"symbol": "CRWV", "session": "2024-06-03"})

        assert 'value="CRWV"' in page.content.decode()


class TestPage:
    @pytest.fixture
    def shown(self, admin_client, candidate):
        thesis = theses.write_by_rules(candidate=candidate, now=NOW)
        thesis_records.make_event(thesis=thesis)
        thesis_records.make_request(
            candidate=candidate, outcome="stand_in", thesis=thesis, reason="refusal"
        )
        url = reverse("admin:analytics_thesis_change", args=[thesis.pk])

        def show():
            return admin_client.get(url).content.decode()

        return show

    def test_shows_pack_events_and_for_whom_it_stands_in(self, shown):
        page = shown()

        assert "is not what was issued" not in page
        assert "Data pack, version 1" in page
        assert "close &lt; 2.5: close was 2.4" in page
        assert "Stands in for Claude" in page
        assert "refused to answer" in page

    def test_says_when_the_content_was_changed(self, shown):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE analytics_thesis SET p_target = 0.99")

        assert "is not what was issued" in shown()

    def test_lets_no_text_of_claude_become_markup(self, admin_client):
        thesis = factories.make_thesis(text="<script>alert(1)</script>", raw_answer="</pre><b>x")

        page = admin_client.get(reverse("admin:analytics_thesis_change", args=[thesis.pk]))

        assert "<script>alert(1)" not in page.content.decode()
        assert "</pre><b>x" not in page.content.decode()

    @pytest.mark.parametrize("page", ["change", "delete"])
    def test_can_be_neither_changed_nor_deleted(self, admin_client, page):
        thesis = factories.make_thesis()

        url = reverse(f"admin:analytics_thesis_{page}", args=[thesis.pk])

        assert admin_client.post(url, {"post": "yes"}).status_code == 403


class TestWithdraw:
    def url(self, thesis):
        return reverse("admin:analytics_thesis_withdraw", args=[thesis.pk])

    def test_asks_first_and_refuses_after_the_entry(self, admin_client, admin_user):
        thesis = factories.make_thesis(author_kind="person", author="admin", written_by=admin_user)

        asked = admin_client.get(self.url(thesis)).content.decode()
        page = admin_client.post(self.url(thesis), follow=True).content.decode()

        assert "stays in the chain" in asked
        assert "The entry of 2024-07-01 has passed" in page
        assert not thesis.events.exists()

    def test_is_noted_before_the_entry(self, admin_client, admin_user):
        ahead = sessions.offset(sessions.last_finished(timezone.now()), 3)
        thesis = factories.make_thesis(
            author_kind="person", author="admin", written_by=admin_user, session=ahead
        )

        admin_client.post(self.url(thesis))

        assert thesis.events.get().kind == "withdrawn"

    def test_needs_permission(self, client, person):
        person.user_permissions.add(Permission.objects.get(codename="view_thesis"))
        client.force_login(person)

        assert client.post(self.url(factories.make_thesis())).status_code == 403


class TestCheckChain:
    URL = "admin:analytics_thesis_check_chain"

    def test_names_the_head(self, admin_client, candidate):
        thesis = theses.write_by_rules(candidate=candidate, now=NOW)

        assert thesis.digest in admin_client.get(reverse(self.URL), follow=True).content.decode()

    def test_names_the_first_break(self, admin_client):
        factories.make_thesis()

        page = admin_client.get(reverse(self.URL), follow=True).content.decode()

        assert "breaks at thesis 1" in page
        assert "No trigger guards" in page


class TestCandidates:
    def test_can_have_theses_written(self, admin_client, candidate, monkeypatch):
        asked = {"action": "have_theses_written", "_selected_action": [candidate.pk]}

        admin_client.post(reverse("admin:analytics_candidate_changelist"), asked)

        job = JobRun.objects.get()
        assert job.kind == "write_thesis"
        assert job.arguments["candidate"] == candidate.pk

    def test_need_permission_for_it(self, client, person, candidate):
        person.user_permissions.add(Permission.objects.get(codename="view_candidate"))
        client.force_login(person)
        asked = {"action": "have_theses_written", "_selected_action": [candidate.pk]}

        client.post(reverse("admin:analytics_candidate_changelist"), asked)

        assert not JobRun.objects.exists()
