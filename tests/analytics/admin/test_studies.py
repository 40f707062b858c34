import numpy as np
import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from analytics.admin import ab_tests as admin_of_tests
from analytics.admin import history as admin_of_history
from analytics.admin import sweeps as admin_of_sweeps
from analytics.models import Experiment, JobRun, Variant
from tests import factories, studies
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def imported(monkeypatch, settings, tmp_path):
    settings.VAR_DIR = str(tmp_path)
    for module in (admin_of_tests, admin_of_sweeps, admin_of_history):
        monkeypatch.setattr(module.lakes, "get_active_source", lambda: "imported")


def url(name, *args):
    return reverse(f"admin:analytics_{name}", args=args)


def form(**fields):
    a, b = factories.make_variant(name="A"), factories.make_variant(name="B")
    wanted = {"name": "Weights", "variant_a": a.pk, "variant_b": b.pk, "minimal_effect": "0.01"}
    return wanted | {"planned_sessions": "200"} | fields


REGISTER = "experiment_register_experiment"


class TestRegister:
    def test_writes_an_experiment_down(self, admin_client):
        answer = admin_client.post(url(REGISTER), form(register=""))

        made = Experiment.objects.get()
        assert answer["Location"] == url("experiment_change", made.pk)
        assert (made.planned_sessions, made.mode) == (200, "live")
        assert made.registered_by.is_superuser

    def test_shows_the_power_calculation_first(self, admin_client):
        asked = form(plan="")
        past = studies.make_experiment(mode="retrospective", state="completed", ended_at=NOW)
        blocks = 0.007 * np.random.default_rng(1).standard_normal(50)
        studies.make_reading(experiment=past, sequence=[{"block": float(x)} for x in blocks])

        page = admin_client.post(url(REGISTER), asked).content.decode()

        assert "answerable on" in page
        assert Experiment.objects.count() == 1

    def test_says_what_is_wrong(self, admin_client):
        same = form()["variant_a"]

        page = admin_client.post(url(REGISTER), form(variant_b=same, register=""))

        assert "compared with itself" in page.content.decode()
        assert not Experiment.objects.exists()

    def test_freezes_its_variants(self, admin_client):
        admin_client.post(url(REGISTER), form(register=""))
        variant = Variant.objects.get(name="A")

        answer = admin_client.post(url("variant_change", variant.pk), {"w_volume": 0.9})

        assert answer.status_code == 403

    def test_needs_permission(self, client, person):
        client.force_login(person)
        assert client.post(url(REGISTER), form(register="")).status_code == 403
        person.user_permissions.add(Permission.objects.get(codename="add_experiment"))
        assert client.post(url(REGISTER), form(register="")).status_code == 302


class TestExperiment:
    def test_shows_sequence_verdict_and_guardrail(self, admin_client):
        point = {"session": "2024-06-28", "block": 0.01, "effect": 0.01, "log_e": 1}
        bounds = [{"low": None, "high": None}, {"low": -0.02, "high": 0.03}]
        reading = studies.make_reading(
            guardrail_breached=True, sequence=[point | bound for bound in bounds]
        )

        page = admin_client.get(url("experiment_change", reading.experiment.pk)).content.decode()

        assert "NO_DIFFERENCE_YET" in page
        assert "no winner is named" in page
        assert "<polyline" in page
        assert "Looking back" not in page

    def test_that_looks_back_says_so(self, admin_client):
        past = studies.make_experiment(mode="retrospective")

        page = admin_client.get(url("experiment_change", past.pk)).content.decode()

        assert "Looking back" in page
        assert "must settle first" in page

    def test_can_be_stopped_early(self, admin_client):
        made = studies.make_experiment()

        admin_client.post(url("experiment_stop_early", made.pk), {"reason": "enough seen"})

        made.refresh_from_db()
        assert (made.state, made.end_reason) == ("stopped", "enough seen")
        again = admin_client.post(url("experiment_stop_early", made.pk), {"reason": "again"})
        assert "is over" in again.content.decode()

    def test_stays_when_who_asks_may_not_stop_it(self, client, person):
        made = studies.make_experiment()
        client.force_login(person)

        client.post(url("experiment_stop_early", made.pk), {"reason": "enough seen"})

        made.refresh_from_db()
        assert made.state == "running"

    def test_is_read_when_asked(self, admin_client):
        admin_client.post(url("experiment_read_now"))

        assert JobRun.objects.get().kind == "read_experiments"


class TestSweep:
    def test_is_asked_for_as_a_job(self, admin_client):
        variant = factories.make_variant()
        asked = {"variant": variant.pk, "sets": 500, "top": 10, "seed": 3}

        admin_client.post(url("weightsweep_run_sweep"), asked)

        job = JobRun.objects.get()
        assert job.kind == "weight_sweep"
        assert job.arguments == {**asked, "source": "imported"}

    def test_shows_probability_best_sets_and_map(self, admin_client):
        chosen = studies.make_set()

        page = admin_client.get(url("weightsweep_change", chosen.sweep_id)).content.decode()

        assert "Probability of overfitting: 40 %" in page
        assert "shade-" in page

    def test_set_becomes_a_draft(self, admin_client):
        chosen = studies.make_set(w_volume=0.61, w_momentum=0.39)
        asked = {"action": "use_as_new_variant", "_selected_action": [chosen.pk]}

        admin_client.post(url("sweepset_changelist"), asked)

        draft = Variant.objects.exclude(pk=chosen.sweep.variant_id).get()
        assert (draft.w_volume, draft.active) == (0.61, False)

    def test_only_one_set_at_a_time_becomes_one(self, admin_client):
        chosen = [studies.make_set().pk, studies.make_set().pk]
        asked = {"action": "use_as_new_variant", "_selected_action": chosen}

        admin_client.post(url("sweepset_changelist"), asked)

        assert Variant.objects.count() == 1


class TestIndex:
    def test_is_built_when_asked(self, admin_client):
        assert admin_client.get(url("historyindex_build_now")).status_code == 200
        assert not JobRun.objects.exists()

        admin_client.post(url("historyindex_build_now"))

        assert JobRun.objects.get().kind == "index_history"

    def test_is_not_built_for_everybody(self, client, person):
        client.force_login(person)

        assert client.post(url("historyindex_build_now")).status_code == 403


class TestCandidate:
    def test_says_why_there_is_no_denominator(self, admin_client):
        candidate = factories.make_candidate()

        page = admin_client.get(url("candidate_change", candidate.pk)).content.decode()

        assert "not built yet" in page
