"""URLs under /performance/."""

from performance.api import urls as api

app_name = "performance"
urlpatterns = [*api.urlpatterns]
