"""What several test modules share: a small simulated study, made once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.simulate.veles import simulate_veles
from propgraph.study import Study

# Where a change is judged the same examples are drawn each time; elsewhere new ones, to find what is left.
# No example has a deadline: time is judged in benchmarks/.
settings.register_profile("judge", derandomize=True, deadline=None)
settings.register_profile("look", deadline=None)
settings.load_profile("judge" if os.environ.get("CI") else "look")


@pytest.fixture(scope="session")
def small_study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study of 600 accounts, 40 of them seeders, with clusters; to be read, not written."""
    folder = tmp_path_factory.mktemp("small")
    log = folder / "log.parquet"
    simulate_veles(n_accounts=600, n_days=5, n_sites=6, n_seeders=40).log.write_parquet(log)
    build([log], folder / "study")
    return find_clusters(folder / "study")


@pytest.fixture
def own_study(small_study: Study, tmp_path: Path) -> Study:
    """A copy of the small study that a test may change."""
    shutil.copytree(small_study.path, tmp_path / "study")
    return Study.open(tmp_path / "study")
