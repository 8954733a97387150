from recommendations.models.jobs import Job, JobCause, JobKind, JobState
from recommendations.models.lists import BulkChange, HiddenTitle, ListEntry, ListStatus
from recommendations.models.profiles import Profile, ProfileSource
from recommendations.models.registry import ModelStatus, ModelVersion, ServingProcess, TopList

__all__ = [
    "BulkChange",
    "HiddenTitle",
    "Job",
    "JobCause",
    "JobKind",
    "JobState",
    "ListEntry",
    "ListStatus",
    "ModelStatus",
    "ModelVersion",
    "Profile",
    "ProfileSource",
    "ServingProcess",
    "TopList",
]
