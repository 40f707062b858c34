from datetime import date

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from analytics.admin import learned as admin_of_models
from analytics.models import JobRun, VariantKind
from tests.factories import make_batch, make_candidate, make_variant
from tests.learned_rows import make_model, make_sheet

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def imported(monkeypatch):
    monkeypatch.setattr(admin_of_models.lakes, "get_active_source", lambda: "imported")


def url(name, *args):
    return reverse(f"admin:analytics_{name}", args=args)


class TestModelCard:
    def test_shows_what_the_models_before_did_and_what_it_listens_to(self, admin_client):
        page = admin_client.get(url("learnedmodel_change", make_model().pk)).content.decode()

        assert "12.5 %" in page
        assert "10.1 % to 15.2 %" in page
        assert "ret_1" in page
        assert "n = 987" in page

    def test_without_figures_it_says_so(self, admin_client):
        page = admin_client.get(url("learnedmodel_change", make_model(metrics={}).pk))

        assert "Insufficient data" in page.content.decode()

    def test_a_list_does_not_ask_for_each_row(self, admin_client, django_assert_max_num_queries):
        for day in range(3, 9):
            make_model(usable_from=date(2023, 1, day))
        with django_assert_max_num_queries(14):
            admin_client.get(url("learnedmodel_changelist"))


class TestFitNow:
    def test_asks_for_a_job(self, admin_client):
        answer = admin_client.post(url("learnedmodel_fit_now"))

        job = JobRun.objects.get()
        assert (job.kind, job.arguments) == ("fit_learned", {"source": "imported"})
        assert answer["Location"] == url("jobrun_change", job.pk)

    def test_needs_the_permission(self, client, django_user_model):
        person = django_user_model.objects.create_user("viewer", is_staff=True)
        person.user_permissions.add(Permission.objects.get(codename="view_learnedmodel"))
        client.force_login(person)

        assert client.post(url("learnedmodel_fit_now")).status_code == 403
        assert not JobRun.objects.exists()


class TestSheets:
    def sheet(self, subject, result):
        return make_sheet(subject=subject, result=result)

    def test_show_the_rate_of_each_decile(self, admin_client):
        decile = {"above": 0.1, "n": 100, "rate": 0.044, "low": 0.03, "high": 0.06}
        known = {"feature": "ret_1", "period": "all", "n": 1000, "unknown": 0.0}
        none = {"feature": "fails_pct", "period": "all", "n": 0, "unknown": 1.0}
        made = self.sheet(
            "features",
            {
                "ret_1": [{**known, "deciles": [decile] * 10, "reason": ""}],
                "fails_pct": [{**none, "deciles": [], "reason": "known on 0"}],
            },
        )

        page = admin_client.get(url("researchsheet_change", made.pk)).content.decode()

        assert "[3.0 %, 6.0 %]" in page
        assert "insufficient data: known on 0" in page

    def test_show_every_design(self, admin_client):
        figures = {
            "n": 10, "precision": 0.12, "low": None, "high": None, "base": 0.03,
            "mean_return": -0.01,
        }  # fmt: skip
        designs = {"logistic": {"fits": 9, "periods": {"all": figures}}}
        overfitting = {"status": "ok", "value": 0.31}
        made = self.sheet(
            "designs", {"chosen": "logistic", "designs": designs, "overfitting": overfitting}
        )

        page = admin_client.get(url("researchsheet_change", made.pk)).content.decode()

        assert "31 %" in page
        assert "12.0 %" in page


class TestCandidate:
    def test_shows_contributions_instead_of_components(self, admin_client):
        variant = make_variant(name="C", title="learned", kind=VariantKind.LEARNED)
        picked = make_candidate(
            batch=make_batch(variant=variant),
            p_explosive=0.125,
            contributions={"base": -3.0, "ret_1": 1.054},
        )

        page = admin_client.get(url("candidate_change", picked.pk)).content.decode()

        assert "to the log-odds" in page
        assert "what every stock has" in page
