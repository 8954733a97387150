"""Runs, model versions and the schedule for admins. Lists of people are private and are not shown here."""

from recommendations.admin.jobs import JobAdmin
from recommendations.admin.models import ModelVersionAdmin
from recommendations.admin.schedule import PeriodicTaskAdmin

__all__ = ["JobAdmin", "ModelVersionAdmin", "PeriodicTaskAdmin"]
