from django.db import migrations

from analytics.models import thesis_guard


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_initial")]

    operations = [migrations.RunPython(thesis_guard.put_up, thesis_guard.take_down)]
