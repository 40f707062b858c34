"""The ledger by hand: rows are added and put right, files come in, accounts are rebuilt."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from analytics.models import JobRun
from performance.models import CashMovement, Fill, Trade
from tests import factories

FILES = Path(__file__).parents[2] / "data" / "brokers"
IMPORT = "admin:performance_fill_import"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")


@pytest.fixture
def account():
    return factories.make_account(name="mine")


def entered(account, **fields):
    wanted = {
        "account": account.pk,
        "kind": "fill",
        "symbol": "VIGL",
        "side": "buy",
        "short_sale": "unknown",
        "quantity": "100",
        "price": "3.00",
        "fee": "0",
        "executed_at_0": "2024-06-24",
        "executed_at_1": "15:00:00",
        "order_id": "",
    }
    return {**wanted, **fields}


def add(client, account, **fields):
    return client.post(reverse("admin:performance_fill_add"), entered(account, **fields))


class TestFill:
    def test_entered_by_hand_gets_its_session_and_a_rebuild(self, admin_client, account):
        answer = add(admin_client, account)

        assert answer.status_code == 302
        fill = Fill.objects.get()
        assert (fill.origin, fill.session, fill.source) == ("admin", date(2024, 6, 24), "imported")
        job = JobRun.objects.get(kind="rebuild_portfolio")
        assert job.arguments == {"account": account.pk}

    def test_is_put_right_by_a_row_that_names_it(self, admin_client, account):
        wrong = factories.make_fill(account=account)

        answer = add(admin_client, account, kind="correction", corrects=wrong.pk, price="3.10")

        assert answer.status_code == 302
        assert wrong.corrected_by.price == Decimal("3.10")

    @pytest.mark.parametrize(
        ("kind", "whose", "told"),
        [
            ("correction", None, "Say which row"),
            ("fill", "mine", "choose correction"),
            ("correction", "other", "of another account"),
        ],
    )
    def test_says_what_is_wrong_with_a_correction(self, admin_client, account, kind, whose, told):
        rows = {
            "mine": factories.make_fill(account=account).pk,
            "other": factories.make_fill().pk,
            None: "",
        }

        answer = add(admin_client, account, kind=kind, corrects=rows[whose])

        assert told in answer.content.decode()

    def test_is_never_changed(self, admin_client, account):
        fill = factories.make_fill(account=account)
        page = reverse("admin:performance_fill_change", args=[fill.pk])

        assert admin_client.post(page, entered(account, price="9")).status_code == 403
        assert Fill.objects.get().price == 3

    def test_needs_the_permission_to_add(self, client, account):
        person = factories.make_user(is_staff=True)
        person.user_permissions.add(Permission.objects.get(codename="view_fill"))
        client.force_login(person)

        assert add(client, account).status_code == 403
        assert client.get(reverse(IMPORT)).status_code == 403


class TestImport:
    def upload(self, client, account, content, **more):
        file = SimpleUploadedFile("export.csv", content)
        asked = {"account": account.pk, "format": "0", "import_file": file, **more}
        return client.post(reverse(IMPORT), asked)

    def confirm(self, client, preview):
        form = preview.context["confirm_form"]
        asked = {name: form[name].value() for name in form.fields}
        return client.post(
            reverse("admin:performance_fill_process_import"),
            {name: value for name, value in asked.items() if value not in {None, False}},
        )

    def test_shows_every_row_and_writes_nothing_before_it_is_confirmed(self, admin_client, account):
        preview = self.upload(admin_client, account, (FILES / "schwab.csv").read_bytes())

        text = preview.content.decode()
        assert "BBBB" in text
        assert "dividend (new)" in text
        assert not Fill.objects.exists()

        answer = self.confirm(admin_client, preview)

        assert answer.status_code == 302
        assert (Fill.objects.count(), CashMovement.objects.count()) == (3, 2)
        assert Trade.objects.filter(account=account).count() == 2

    def test_names_line_and_column_of_what_it_cannot_read(self, admin_client, account):
        content = b"date,kind,symbol,quantity,price\n2024-06-24,buy,AAAA,ten,3\n"

        answer = self.upload(admin_client, account, content)

        assert "line 2, quantity" in answer.content.decode()
        assert "confirm_form" not in answer.context

    def test_can_keep_what_it_cannot_read_as_findings(self, admin_client, account):
        content = b"date,kind,symbol,quantity,price\n2024-06-24,buy,A,ten,3\n2024-06-24,buy,A,1,3\n"

        preview = self.upload(admin_client, account, content, keep_faulty="on")
        self.confirm(admin_client, preview)

        assert Fill.objects.count() == 1
        assert account.findings.filter(kind="unreadable").count() == 1

    def test_says_so_of_a_file_of_no_broker(self, admin_client, account):
        answer = self.upload(admin_client, account, b"a,b\n1,2\n")

        assert "known layout" in answer.content.decode()


class TestAccountActions:
    def press(self, client, account, action):
        asked = {"action": action, "_selected_action": [account.pk]}
        return client.post(reverse("admin:performance_account_changelist"), asked, follow=True)

    def test_rebuild_is_queued(self, admin_client, account):
        answer = self.press(admin_client, account, "rebuild")

        assert "queued as job" in answer.content.decode()
        assert JobRun.objects.get().kind == "rebuild_portfolio"

    @pytest.mark.parametrize("action", ["sync", "reconcile"])
    def test_the_broker_is_asked_only_with_keys(self, admin_client, account, settings, action):
        assert "are not set" in self.press(admin_client, account, action).content.decode()
        settings.ALPACA_API_KEY = settings.ALPACA_SECRET_KEY = "x"

        self.press(admin_client, account, action)

        assert JobRun.objects.count() == 1

    def test_an_account_elsewhere_is_not_asked_for(self, admin_client, settings):
        settings.ALPACA_API_KEY = settings.ALPACA_SECRET_KEY = "x"
        elsewhere = factories.make_account(broker="Schwab")

        answer = self.press(admin_client, elsewhere, "sync")

        assert "kept at Schwab" in answer.content.decode()
        assert not JobRun.objects.exists()
