"""What a member of staff must be allowed besides reading."""

from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.views import APIView


class Allowed(IsAdminUser):
    """Staff with one permission more."""

    permission: str

    def has_permission(self, request: Request, view: APIView) -> bool:
        return super().has_permission(request, view) and request.user.has_perm(self.permission)


class MayRunDiscovery(Allowed):
    message = "You may not run discovery."
    permission = "analytics.run_discovery"


class MayCancelJobs(Allowed):
    message = "You may not cancel jobs."
    permission = "analytics.cancel_jobrun"


class MayRunBacktests(Allowed):
    message = "You may not run backtests."
    permission = "analytics.run_backtest"


class MayWriteTheses(Allowed):
    message = "You may not have theses written."
    permission = "analytics.write_thesis"


class MayAuditClaims(Allowed):
    message = "You may not have claims audited."
    permission = "analytics.audit_claims"
