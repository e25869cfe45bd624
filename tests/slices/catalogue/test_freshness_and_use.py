"""Freshness against its own promise; counting of use without a page waiting for it."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter

import pytest

from opendata.accounts.policy import COMMAND_LINE
from opendata.catalogue.freshness import Freshness, freshness
from opendata.catalogue.usage import UsageCounter
from tests.slices.catalogue.conftest import AGENCY

MODIFIED = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("expected_days", "age", "judged"),
    [
        (None, dt.timedelta(days=10_000), None),
        (1, dt.timedelta(days=2), Freshness.IN_TIME),
        (1, dt.timedelta(days=2, seconds=1), Freshness.LATE),
        (30, dt.timedelta(days=45), Freshness.IN_TIME),
        (30, dt.timedelta(days=45, seconds=1), Freshness.LATE),
        (365, dt.timedelta(days=547), Freshness.IN_TIME),
        (365, dt.timedelta(days=548), Freshness.LATE),
        (365, dt.timedelta(days=-1), Freshness.IN_TIME),
    ],
)
def test_late_is_later_than_promised_and_half_again(expected_days, age, judged) -> None:
    assert freshness(expected_days, MODIFIED, MODIFIED + age) == judged


def test_freshness_is_a_word_of_the_contract() -> None:
    assert (str(Freshness.IN_TIME), str(Freshness.LATE)) == ("in-time", "late")


class Ledger:
    def __init__(self) -> None:
        self.views: Counter[str] = Counter()
        self.downloads: Counter[str] = Counter()
        self.calls = 0
        self.broken = False

    def save(self, views, downloads) -> None:
        self.calls += 1
        if self.broken:
            raise OSError("the disk is full")
        self.views.update(views)
        self.downloads.update(downloads)


def test_use_is_written_when_flushed_and_not_before() -> None:
    ledger = Ledger()
    usage = UsageCounter(ledger.save)
    for dataset_id in ("a", "b", "a"):
        usage.view(dataset_id)
    usage.download("a")
    assert ledger.calls == 0
    usage.flush()
    assert (ledger.views, ledger.downloads) == ({"a": 2, "b": 1}, {"a": 1})
    usage.flush()
    assert ledger.calls == 1


def test_counts_are_kept_when_writing_fails() -> None:
    ledger = Ledger()
    usage = UsageCounter(ledger.save)
    usage.view("a")
    usage.download("a")
    ledger.broken = True
    with pytest.raises(OSError, match="full"):
        usage.flush()
    usage.view("a")
    ledger.broken = False
    usage.flush()
    assert (ledger.views, ledger.downloads) == ({"a": 2}, {"a": 1})


def test_no_view_is_lost_between_threads() -> None:
    ledger = Ledger()
    usage = UsageCounter(ledger.save)

    def browse() -> None:
        for _ in range(2000):
            usage.view("a")

    def flush() -> None:
        for _ in range(200):
            usage.flush()

    threads = [threading.Thread(target=job) for job in (browse, browse, browse, flush)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    usage.flush()
    assert ledger.views == {"a": 6000}


def test_counts_reach_the_dataset(catalogue, queries) -> None:
    dataset = catalogue.create_dataset(COMMAND_LINE, {"title": "x", "publisher": AGENCY})
    usage = UsageCounter(catalogue.count_use)
    usage.view(dataset.id)
    usage.view("gone")
    usage.download(dataset.id)
    usage.flush()
    usage.view(dataset.id)
    usage.flush()
    view = queries.dataset(COMMAND_LINE, dataset.id)
    assert (view.view_count, view.download_count, view.revision) == (2, 1, 1)
