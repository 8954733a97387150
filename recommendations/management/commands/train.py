"""`manage.py train`: train on what the database holds now, judge the model, and make it champion if it passes."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from recommendations import tasks
from recommendations.models import JobCause, ModelStatus
from recommendations.services.jobs import AlreadyRunningError
from recommendations.services.training import TrainingError, run_training, start_training


class Command(BaseCommand):
    help = "Train a model here and now; it serves if the gate lets it pass. --enqueue leaves the work to a worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--enqueue", action="store_true", help="only queue the job")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            job = start_training()
        except AlreadyRunningError as error:
            # One that is only queued is done here; one that somebody works on is not.
            job = error.job
        if options["enqueue"]:
            tasks.enqueue(job)
            self.stdout.write(f"Training job {job.pk} is queued")
            return
        with tqdm(total=100, unit="%", bar_format="{l_bar}{bar}|{postfix}") as bar:

            def show(percent: int, message: str) -> None:
                bar.set_postfix_str(message)
                bar.update(percent - bar.n)

            try:
                model = run_training(job.pk, on_progress=show)
            except TrainingError as error:
                if error.log:
                    self.stderr.write(error.log)
                raise CommandError(str(error)) from error
            except KeyboardInterrupt:
                raise CommandError("interrupted; the job is queued again", returncode=130) from None
        if model is None:
            raise CommandError(f"{job}: another process works on it, or it was cancelled", returncode=2)
        if model.status == ModelStatus.CHAMPION:
            tasks.score_all(JobCause.PROMOTION)
        self.stdout.write(f"Model {model.version}: {model.get_status_display()}. {model.verdict}")
