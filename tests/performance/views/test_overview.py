"""The overview as a page."""

from datetime import date

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.calc import sessions
from tests import factories

QUERIES = 12  # the most the overview may ask, whatever the rows


def fill(days):
    for day in days:
        batch = factories.make_batch(session=day)
        factories.make_candidate(batch=batch)
        factories.make_analysis(batch=batch)


def asked(client):
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/?range=all").status_code == 200
    return len(queries)


@pytest.mark.django_db
class TestOverview:
    def test_asks_twelve_times_at_most_and_no_more_with_more_rows(self, staff):
        fill([date(2024, 6, 28)])
        few = asked(staff)
        fill(sessions.between(date(2024, 5, 1), date(2024, 6, 27)))

        assert asked(staff) == few <= QUERIES

    def test_shows_every_card(self, staff):
        fill([date(2024, 6, 28)])

        said = staff.get("/").content.decode()

        for card in ("latest", "funnel", "outcomes", "volume-events", "jobs"):
            assert f'id="{card}-card"' in said

    def test_offers_the_run_to_those_who_may(self, staff, client):
        assert b"Run discovery</button>" not in staff.get("/").content
        person = factories.make_user(is_staff=True)
        person.user_permissions.add(Permission.objects.get(codename="run_discovery"))
        client.force_login(person)

        assert b"Run discovery</button>" in client.get("/").content

    def test_labels_the_baseline_claimed(self, staff):
        factories.make_baseline()
        fill([date(2024, 6, 28)])

        said = staff.get("/").content.decode()

        assert "claimed" in said
        assert "73.3 %" in said
        assert "95%: 48.0 to 89.1 %" in said

    def test_gives_n_and_the_reason_where_data_do_not_suffice(self, staff):
        fill([date(2024, 6, 28)])

        said = staff.get("/").content.decode()

        assert "insufficient data" in said
        assert "1 settled sessions, 60 are needed" in said

    def test_links_a_count_to_as_many_rows(self, staff):
        for day in sessions.between(date(2024, 3, 1), date(2024, 6, 28)):
            batch = factories.make_batch(session=day)
            factories.make_tracking(candidate=factories.make_candidate(batch=batch, symbol="ONE"))
            factories.make_tracking(
                candidate=factories.make_candidate(batch=batch, symbol="TWO", first_signal=False)
            )
            factories.make_analysis(batch=batch, settled=10, first_settled=1)

        context = staff.get("/?range=all").context["overview"].outcomes
        figure = context.figures[0].variants[0]
        first, last = figure.history_days
        rows = staff.get(
            f"/candidates?from={first}&to={last}&variant=B v1&flag=first_signal&outcome=settled"
        )

        assert rows.context["found"].total == figure.history.n == 83
