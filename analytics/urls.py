"""URLs under /analytics/."""

from analytics.api import urls as api

app_name = "analytics"
urlpatterns = [*api.urlpatterns]
