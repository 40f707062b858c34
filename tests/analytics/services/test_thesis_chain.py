import sqlite3
import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, connections, transaction

from analytics.calc import thesis_digest
from analytics.models import PatternCalibration, Thesis, ThesisEvent, thesis_guard
from analytics.models.frozen import Frozen
from analytics.services import thesis_chain
from tests import factories
from tests.factories import NOW, SESSION

pytestmark = pytest.mark.django_db


def draft(**changes):
    given = {
        "symbol": "VIGL",
        "session": SESSION,
        "pattern": "STANDARD",
        "recommendation": "BUY",
        "entry_price": Decimal("2.94"),
        "target_price": Decimal("3.90"),
        "stop_price": Decimal("2.50"),
        "max_entry_price": Decimal("3.10"),
        "horizon": 14,
        "p_target": 0.3,
        "text": "Fine.\x00",
        "data_pack": {"volume": 1e22, "small": 1e-7, "n": 3.0},
        "author_kind": "rules",
        "author": "rules:1",
        "prompt_version": "1",
        "issued_at": NOW,
        "source": "imported",
    }
    return Thesis(**{**given, **changes})


def issue(**changes):
    return thesis_chain.issue(draft(**changes))


@pytest.fixture
def guard(transactional_db):
    with connection.schema_editor() as editor:
        thesis_guard.put_up(None, editor)
    yield
    with connection.schema_editor() as editor:
        thesis_guard.take_down(None, editor)


class TestIssue:
    def test_puts_one_behind_the_other(self):
        first, second = issue(), issue(symbol="CRWV")

        assert (first.number, second.number) == (1, 2)
        assert second.previous == first
        assert thesis_chain.verify().broken is None

    def test_lets_a_machine_say_a_thing_once(self):
        first = issue()

        again = issue(p_target=0.9)

        assert again == first
        assert Thesis.objects.get().p_target == 0.3

    def test_lets_a_person_say_a_thing_twice(self):
        issue(author_kind="person", author="ann", prompt_version="")
        issue(author_kind="person", author="ann", prompt_version="")

        assert Thesis.objects.count() == 2

    @pytest.mark.parametrize(
        ("hours", "late"), [(0, False), (15, False), (63.4, False), (63.5, True)]
    )
    def test_says_whether_the_entry_had_passed(self, hours, late):
        # 18:00 on Friday; the next session opens 63.5 hours later, on Monday at 9:30
        assert issue(issued_at=NOW + timedelta(hours=hours)).is_late is late

    def test_calibrates_with_the_newest_row_known_by_the_session(self):
        for day, alpha in ((date(2024, 6, 1), 1.0), (SESSION, 3.0), (date(2024, 7, 1), 9.0)):
            PatternCalibration.objects.create(
                author="rules:1",
                pattern="STANDARD",
                method="beta_binomial",
                parameters={"alpha": alpha, "beta": 7.0},
                n=20,
                settled_before=day,
                valid_from=day,
                created_at=NOW,
                source="imported",
            )

        thesis = issue()

        assert thesis.calibration.valid_from == SESSION
        assert (thesis.p_target, thesis.p_calibrated) == (0.3, pytest.approx(0.3))

    def test_leaves_it_raw_without_one(self):
        assert issue().p_calibrated is None


class TestVerify:
    def test_holds_after_a_round_trip(self):
        issue(text="naïve\ud800", raw_answer="\x00{}")

        assert thesis_chain.verify().broken is None

    @pytest.mark.parametrize(
        "change",
        ["text = 'other'", "p_target = 0.99", "data_pack = '{}'", "is_late = NOT is_late",
         "entry_price = 2.9401", "session = '2024-06-27'", "author = 'rules:2'"],
    )  # fmt: skip
    def test_names_the_thesis_that_was_changed_behind_its_back(self, change):
        issue()
        second = issue(symbol="CRWV")
        issue(symbol="AEVA")
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE analytics_thesis SET {change} WHERE id = %s", [second.pk])

        broken = thesis_chain.verify().broken

        assert (broken.number, broken.reason) == (2, "its content is not what was issued")

    def test_covers_every_column(self):
        apart = {"id", "digest", "digest_version", "previous_id"}
        columns = {field.attname for field in Thesis._meta.concrete_fields}

        assert set(thesis_chain.CONTENT[thesis_chain.VERSION]) == columns - apart

    def test_sees_a_history_that_was_made_anew_by_its_head(self):
        issue()
        before = thesis_chain.get_head()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM analytics_thesis")
        issue(p_target=0.9)

        checked = thesis_chain.verify()
        assert checked.broken is None
        assert checked.head.number == before.number
        assert checked.head.digest != before.digest

    def test_reads_in_a_fixed_number_of_queries(self, django_assert_max_num_queries):
        for number in range(12):
            issue(symbol=f"S{number}")

        with django_assert_max_num_queries(5):
            assert thesis_chain.verify().theses == 12


class TestGetHead:
    def test_is_none_before_the_first(self):
        assert thesis_chain.get_head() is None

    def test_is_the_newest(self):
        issue()
        second = issue(symbol="CRWV")

        head = thesis_chain.get_head()

        assert (head.number, head.digest, head.issued_at) == (2, second.digest, NOW)
        assert head.digest != thesis_digest.START


class TestModel:
    def test_refuses_every_change(self):
        thesis = issue()

        for change in (
            thesis.save,
            thesis.delete,
            lambda: Thesis.objects.update(p_target=1),
            lambda: Thesis.objects.filter(pk=thesis.pk).delete(),
            lambda: Thesis.objects.bulk_update([thesis], ["p_target"]),
            lambda: Thesis.objects.bulk_create([draft()], update_conflicts=True),
        ):
            with pytest.raises(Frozen):
                change()
        assert Thesis.objects.count() == 1


class TestGuard:
    @pytest.mark.parametrize("statement", ["UPDATE {} SET source = source", "DELETE FROM {}"])
    @pytest.mark.parametrize("table", thesis_guard.TABLES)
    def test_refuses_changes_in_the_database(self, guard, statement, table):
        thesis = issue()
        ThesisEvent.objects.create(
            thesis=thesis, kind="withdrawn", session=SESSION, message="x", recorded_at=NOW,
            source="imported",
        )  # fmt: skip

        with (
            pytest.raises(DatabaseError, match="never changed"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement.format(table))
        assert Thesis.objects.count() == 1

    @pytest.mark.postgres
    def test_refuses_to_empty_the_table(self, guard):
        issue()

        with pytest.raises(DatabaseError, match="never changed"), connection.cursor() as cursor:
            cursor.execute("TRUNCATE analytics_thesis CASCADE")

    def test_lets_theses_be_issued(self, guard):
        issue()
        issue(symbol="CRWV")

        assert thesis_chain.verify().unguarded == []

    def test_is_missed_when_it_is_not_there(self):
        assert thesis_chain.verify().unguarded == list(thesis_guard.TABLES)

    def test_can_be_put_up_twice(self, guard):
        with connection.schema_editor() as editor:
            thesis_guard.put_up(None, editor)

        assert thesis_guard.missing(connection) == []


class TestConstraints:
    @pytest.mark.parametrize(
        ("fields", "name"),
        [
            ({"max_entry_price": "4.5"}, "thesis_buy_is_not_chased_past_its_target"),
            ({"max_entry_price": "2.9"}, "thesis_buy_is_not_chased_past_its_target"),
            ({"target_price": "2.9"}, "thesis_barriers_in_order"),
            ({"recommendation": "AVOID", "target_price": "2.5"}, "thesis_barriers_in_order"),
            ({"p_calibrated": 0.2}, "thesis_calibrated_names_its_row"),
            ({"figures": 2}, "thesis_share_of_figures_when_it_has_some"),
            ({"supported_share": 0.5}, "thesis_share_of_figures_when_it_has_some"),
            ({"training_cutoff": SESSION}, "thesis_cutoff_names_its_basis"),
            ({"author_kind": "oracle"}, "thesis_author_kind_known"),
            ({"number": 7, "previous": None}, "thesis_first_has_no_previous"),
        ],
    )
    def test_refuse(self, fields, name):
        with pytest.raises(DatabaseError, match=name), transaction.atomic():
            factories.make_thesis(**fields)

    def test_let_a_bearish_thesis_have_its_target_below(self):
        factories.make_thesis(recommendation="AVOID", target_price="2.5", stop_price="3.4")

        assert Thesis.objects.count() == 1


@pytest.mark.django_db(transaction=True)
class TestConcurrency:
    def issue_in_threads(self, workers, each):
        faults = []

        def work(place):
            try:
                for number in range(each):
                    issue(symbol=f"S{place}{number}")
            except Exception as error:  # noqa: BLE001  # shown by the test
                faults.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=work, args=(place,)) for place in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert faults == []

    @pytest.mark.postgres
    def test_makes_one_chain_of_what_many_workers_issue(self):
        self.issue_in_threads(workers=6, each=5)

        checked = thesis_chain.verify()
        assert (checked.theses, checked.broken) == (30, None)

    def test_makes_one_chain_on_sqlite(self, tmp_path, monkeypatch):
        if connection.vendor != "sqlite":
            pytest.skip("is about SQLite")
        path = tmp_path / "db.sqlite3"
        with sqlite3.connect(path) as file:
            connection.connection.backup(file)
            file.execute("PRAGMA journal_mode=WAL")
        monkeypatch.setitem(connections.settings["default"], "NAME", str(path))

        self.issue_in_threads(workers=4, each=3)

        with sqlite3.connect(path) as file:
            rows = file.execute(
                "SELECT t.number, p.number FROM analytics_thesis t "
                "LEFT JOIN analytics_thesis p ON p.id = t.previous_id ORDER BY t.number"
            ).fetchall()
        assert rows == [(number, number - 1 or None) for number in range(1, 13)]
