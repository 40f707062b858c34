"""The content security policy: strict, and the theme's where it frames a page."""

import pytest

STRICT = "script-src 'self'"
POLICY = "Content-Security-Policy"


@pytest.mark.django_db
class TestPolicy:
    @pytest.mark.parametrize("address", ["/health", "/no/such/page"])
    def test_is_strict_outside_the_frame(self, client, address):
        policy = client.get(address)[POLICY]

        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy

    @pytest.mark.parametrize("address", ["/admin/login/", "/candidates"])
    def test_lets_the_theme_do_what_it_needs_and_no_more(self, admin_client, address):
        policy = admin_client.get(address)[POLICY]

        assert "script-src 'self' 'unsafe-eval';" in f"{policy};"
        assert "style-src 'self' 'unsafe-inline';" in f"{policy};"
        assert "default-src 'none'" in policy
        assert "script-src 'self' 'unsafe-inline'" not in policy
