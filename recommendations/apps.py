from pathlib import Path

from django.apps import AppConfig
from django.conf import settings


class RecommendationsConfig(AppConfig):
    name = "recommendations"

    def ready(self) -> None:
        # The file broker expects its folders to be there, whichever process comes first.
        for key in ("data_folder_in", "control_folder"):
            folder = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get(key)
            if folder:
                Path(folder).mkdir(parents=True, exist_ok=True)
