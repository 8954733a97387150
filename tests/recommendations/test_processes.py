"""What processes say of themselves, and the alarms that come of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from recommendations.models import ModelVersion, ServingProcess
from recommendations.selectors.serving import alarms, living_processes
from recommendations.services import engine as module
from recommendations.services.engine import forget_old_processes
from recommendations.services.registry import activate, publish
from tests.recommendations.conftest import damage, settled_version, version

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_process")]
Make = Callable[[str], Path]


@pytest.mark.django_db(transaction=True)
class TestReports:
    @pytest.fixture(autouse=True)
    def _reporting(self, settings: Settings) -> None:
        settings.SERVING_REPORT_SECONDS = 3600
        module._holder.reported = None

    def test_a_process_says_what_it_serves_when_that_changes_and_else_costs_no_query(
        self, sample_bundle, other_bundle, django_assert_num_queries: DjangoAssertNumQueries
    ):
        assert version() is None
        row = ServingProcess.objects.get()
        assert (row.version, row.problem) == ("", "")
        assert row.name.endswith(f":{os.getpid()}")
        first = activate(publish(sample_bundle))
        assert version() == first.version
        version()
        assert ServingProcess.objects.get().version == first.version
        with django_assert_num_queries(1):  # which version is champion
            version()
        damage(publish(other_bundle))
        second = activate(publish(other_bundle))
        damage(second)
        assert settled_version() == first.version
        row = living_processes().get()
        assert row.version == first.version
        assert "does not match the hash" in row.problem
        assert alarms() == [f"{row.name} serves {first.version} though {second.version} is champion: {row.problem}"]
        activate(first)
        version()
        assert alarms() == []

    def test_it_says_so_again_from_time_to_time(self, settings: Settings):
        settings.SERVING_REPORT_SECONDS = 0.001
        version()
        ServingProcess.objects.update(seen=timezone.now() - timedelta(hours=2))
        assert not living_processes().exists()
        version()
        assert living_processes().exists()

    def test_a_write_that_fails_breaks_no_request(self, sample_bundle, caplog: pytest.LogCaptureFixture):
        model = activate(publish(sample_bundle))

        def refuse(execute, sql, params, many, context):
            if sql.startswith(("UPDATE", "INSERT")):
                raise OperationalError("attempt to write a readonly database")
            return execute(sql, params, many, context)

        with connection.execute_wrapper(refuse):
            assert settled_version() == model.version
        assert "cannot be written down: attempt to write a readonly database" in caplog.text
        assert not ServingProcess.objects.exists()

    def test_nothing_is_written_in_the_midst_of_a_transaction(self):
        with transaction.atomic():
            version()
            assert not ServingProcess.objects.exists()
        version()
        assert ServingProcess.objects.exists()


class TestAlarms:
    def process(self, version: str, problem: str = "", seen: timedelta = timedelta()) -> None:
        ServingProcess.objects.create(
            name=f"web-{ServingProcess.objects.count()}:7",
            version=version,
            problem=problem,
            seen=timezone.now() - seen,
        )

    def test_in_words(self, small_bundle: Make):
        champion = activate(publish(small_bundle("one")))
        ModelVersion.objects.filter(pk=champion.pk).update(activated=timezone.now() - timedelta(minutes=10))
        self.process(champion.version)
        self.process(champion.version, "in the store: missing")
        self.process("older", "cannot be loaded: missing")
        self.process("older")
        self.process("", "cannot be loaded: missing")
        self.process("older", "it is long gone", seen=timedelta(minutes=3))
        ServingProcess.objects.update(started=timezone.now() - timedelta(minutes=5))
        self.process("")  # it has just started
        assert alarms() == [
            f"web-1:7 serves {champion.version}, but: in the store: missing",
            f"web-2:7 serves older though {champion.version} is champion: cannot be loaded: missing",
            f"web-3:7 serves older though {champion.version} is champion: it has not followed, and does not say why",
            f"web-4:7 serves no model though {champion.version} is champion: cannot be loaded: missing",
        ]

    def test_a_process_has_a_moment_to_follow(self, small_bundle: Make):
        activate(publish(small_bundle("one")))
        self.process("older")
        assert alarms() == []

    def test_processes_of_old_are_forgotten(self):
        self.process("", seen=timedelta(minutes=61))
        self.process("", seen=timedelta(minutes=59))
        assert forget_old_processes() == 1
        assert ServingProcess.objects.get().name == "web-1:7"
