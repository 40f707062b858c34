"""The description of the API: as a file for programs, as pages for people who are logged in."""

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib.admin.views.decorators import staff_member_required
from django.urls import URLPattern, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

# From our own host, and its script is a second request: none is inline. Styles are, as it draws.
pages = csp_replace({"style-src": [SELF, UNSAFE_INLINE]})(
    staff_member_required(
        SpectacularSwaggerSplitView.as_view(url_name="api-schema", template_name="api/docs.html")
    )
)
urlpatterns: list[URLPattern] = [
    re_path(r"^schema/?$", SpectacularAPIView.as_view(), name="api-schema"),
    re_path(r"^docs/?$", pages, name="api-docs"),
]
