"""Names to files: folders behind links, circles, and what is told of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from propgraph.readers.files.paths import find_named


def tree(folder: Path, *files: str) -> Path:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("x")
    return folder


def seen(named, folder):
    return sorted(str(file.path.relative_to(folder)) for file in named.files.values())


def test_a_link_to_a_folder_elsewhere_is_followed_and_told(tmp_path):
    tree(tmp_path, "logs/a.csv", "disk/b.csv", "disk/deep/c.csv")
    (tmp_path / "logs" / "linked").symlink_to(tmp_path / "disk")
    named = find_named([tmp_path / "logs"])
    assert seen(named, tmp_path / "logs") == ["a.csv", "linked/b.csv", "linked/deep/c.csv"]
    assert named.left_out == [f"{tmp_path}/logs/linked: a link to {tmp_path}/disk; followed"]
    assert named.faults == []


@pytest.mark.parametrize("target", [".", "..", "../.."])
def test_links_that_lead_back_up_are_no_circle(tmp_path, target):
    folder = tree(tmp_path, "top/logs/a.csv", "top/logs/deep/b.csv", "top/private.csv") / "top" / "logs"
    (folder / "deep" / "up").symlink_to(target)
    named = find_named([folder])
    assert seen(named, folder) == ["a.csv", "deep/b.csv"]
    ((told),) = named.left_out
    assert told.startswith(f"{folder}/deep/up: a link to ")
    assert told.endswith("; not followed")


def test_two_folders_that_link_to_each_other_are_read_once_each(tmp_path):
    tree(tmp_path, "one/a.csv", "two/b.csv")
    (tmp_path / "one" / "x").symlink_to(tmp_path / "two")
    (tmp_path / "one" / "y").symlink_to(tmp_path / "two")
    (tmp_path / "two" / "back").symlink_to(tmp_path / "one")
    named = find_named([tmp_path / "one"])
    assert seen(named, tmp_path / "one") == ["a.csv", "x/b.csv"]
    assert [sentence.rpartition("; ")[2] for sentence in named.left_out] == [
        "followed", "not followed", "not followed",
    ]  # fmt: skip


def test_a_folder_is_read_by_its_own_name_where_a_link_leads_there_too(tmp_path):
    tree(tmp_path, "b/log.csv")
    (tmp_path / "a").symlink_to(tmp_path / "b")
    assert seen(find_named([tmp_path]), tmp_path) == ["b/log.csv"]


def test_a_link_that_leads_nowhere_is_told(tmp_path):
    tree(tmp_path, "a.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "gone.csv")
    assert find_named([tmp_path]).left_out == [
        f"{tmp_path}/b.csv: left out, no file (a pipe, or a link that leads nowhere)"
    ]
