"""Rows that are appended and never changed. The database refuses as well: see ``thesis_guard``."""

from collections.abc import Iterable
from typing import Any, Never, TypeVar

from django.db import models

from analytics.errors import DomainError

Row = TypeVar("Row", bound=models.Model)


class Frozen(DomainError):
    """The row was written once; it can be neither changed nor deleted."""


class FrozenQuerySet(models.QuerySet[Row]):
    """A queryset that reads and appends. Every method that would change a row raises Frozen."""

    def update(self, **_columns: Any) -> Never:
        raise self._refusal("changed")

    def delete(self) -> Never:
        raise self._refusal("deleted")

    def bulk_update(self, *_rows: Any, **_options: Any) -> Never:
        raise self._refusal("changed")

    def bulk_create(self, objs: Iterable[Row], *args: Any, **options: Any) -> list[Row]:
        if options.get("update_conflicts"):
            raise self._refusal("changed")
        return super().bulk_create(objs, *args, **options)

    def _refusal(self, what: str) -> Frozen:
        return Frozen(f"{self.model._meta.verbose_name_plural} are never {what}")


class AppendOnly(models.Model):
    """A row that can be saved once."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        """Store the row.

        Raises:
            Frozen: It is stored already.
        """
        if not self._state.adding:
            raise Frozen(f"{self._meta.verbose_name} {self.pk} is never changed")
        super().save(*args, **{**options, "force_insert": True})

    def delete(self, *args: Any, **options: Any) -> Never:
        """Refuse.

        Raises:
            Frozen: Always.
        """
        raise Frozen(f"{self._meta.verbose_name} {self.pk} is never deleted")
