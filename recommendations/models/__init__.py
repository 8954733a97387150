from recommendations.models.jobs import Job, JobKind, JobState
from recommendations.models.lists import BulkChange, HiddenTitle, ListEntry, ListStatus
from recommendations.models.profiles import Profile, ProfileSource
from recommendations.models.registry import ModelStatus, ModelVersion, TopList

__all__ = [
    "BulkChange",
    "HiddenTitle",
    "Job",
    "JobKind",
    "JobState",
    "ListEntry",
    "ListStatus",
    "ModelStatus",
    "ModelVersion",
    "Profile",
    "ProfileSource",
    "TopList",
]
