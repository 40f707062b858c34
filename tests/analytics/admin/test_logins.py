import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import Permission
from django.urls import reverse

from tests import factories

LIST = reverse("admin:axes_accessattempt_changelist")
LOGIN = reverse("admin:login")
pytestmark = pytest.mark.django_db


@pytest.fixture
def locked_out(client, settings):
    """A person with one wrong password too many."""
    settings.AXES_FAILURE_LIMIT = 1
    person = factories.make_user(username="ann", is_staff=True)
    client.post(LOGIN, {"username": "ann", "password": "wrong"})
    return person


class TestFailedLogins:
    def test_show_who_is_locked_out(self, admin_client, locked_out):
        page = admin_client.get(LIST).content.decode()

        assert "ann" in page
        assert "locked out" in page

    def test_are_forgotten_by_unlocking(self, admin_client, locked_out, settings):
        form = {"action": "unlock", "_selected_action": [AccessAttempt.objects.get().pk]}

        admin_client.post(LIST, form)

        assert not AccessAttempt.objects.exists()

    def test_are_only_for_who_may_see_them(self, client, person, locked_out):
        client.force_login(person)
        assert client.get(LIST).status_code == 403

        person.user_permissions.add(Permission.objects.get(codename="view_accessattempt"))
        assert client.get(LIST).status_code == 200

        form = {"action": "unlock", "_selected_action": [AccessAttempt.objects.get().pk]}
        client.post(LIST, form)
        assert AccessAttempt.objects.exists()

    def test_cannot_be_changed(self, admin_client, locked_out):
        pk = AccessAttempt.objects.get().pk

        assert admin_client.get(reverse("admin:axes_accessattempt_add")).status_code == 403
        answer = admin_client.get(reverse("admin:axes_accessattempt_change", args=[pk]))
        assert answer.status_code in {302, 403}
