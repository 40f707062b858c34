"""Admin of people and groups, in the same look as everything else."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as PlainGroupAdmin
from django.contrib.auth.admin import UserAdmin as PlainUserAdmin
from django.contrib.auth.models import Group, User

if TYPE_CHECKING:
    from django.contrib.auth.forms import (
        AdminPasswordChangeForm,
        UserChangeForm,
        UserCreationForm,
    )

    class UnfoldAdmin: ...
else:
    from unfold.admin import ModelAdmin as UnfoldAdmin
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(PlainUserAdmin, UnfoldAdmin):  # type: ignore[type-arg]
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    form = UserChangeForm


@admin.register(Group)
class GroupAdmin(PlainGroupAdmin, UnfoldAdmin):
    pass
