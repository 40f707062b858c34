"""Admin of the timetable: celery-beat's own, in the look of everything else."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django_celery_beat.admin import ClockedScheduleAdmin as PlainClockedAdmin
from django_celery_beat.admin import CrontabScheduleAdmin as PlainCrontabAdmin
from django_celery_beat.admin import IntervalScheduleAdmin as PlainIntervalAdmin
from django_celery_beat.admin import PeriodicTaskAdmin as PlainTaskAdmin
from django_celery_beat.admin import PeriodicTaskForm as PlainTaskForm
from django_celery_beat.admin import TaskSelectWidget as PlainTaskSelect
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

if TYPE_CHECKING:

    class UnfoldAdmin: ...
else:
    from unfold.admin import ModelAdmin as UnfoldAdmin

for model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(model)


class TaskSelect(UnfoldAdminSelectWidget, PlainTaskSelect):  # type: ignore[misc]
    """The choice of a task, styled."""


class TaskForm(PlainTaskForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskSelect()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(PlainTaskAdmin, UnfoldAdmin):  # type: ignore[misc]
    form = TaskForm
    list_display = ("name", "enabled", "scheduler", "last_run_at", "total_run_count")


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(PlainCrontabAdmin, UnfoldAdmin):  # type: ignore[misc]
    pass


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(PlainClockedAdmin, UnfoldAdmin):  # type: ignore[misc]
    pass


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(PlainIntervalAdmin, UnfoldAdmin):  # type: ignore[misc]
    pass
