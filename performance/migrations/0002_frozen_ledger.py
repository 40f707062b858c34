from django.db import migrations

from performance.models import ledger_guard


class Migration(migrations.Migration):
    dependencies = [("performance", "0001_initial")]

    operations = [migrations.RunPython(ledger_guard.put_up, ledger_guard.take_down)]
