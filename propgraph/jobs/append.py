"""Adding new files to a study: as if it had been built of all its files, of which only the new ones are read."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from propgraph.errors import InputError, StudyError, UsageError
from propgraph.jobs.told import digests_of, given_path
from propgraph.provenance import Run
from propgraph.pseudonyms.keys import Key
from propgraph.readers.find import together
from propgraph.readers.kept import further, kept_parts, kind_of, number_of, place_of
from propgraph.readers.plan import Plan, PlannedFile, plan_logs, planned_as_kept
from propgraph.readers.times.times import TimeOptions
from propgraph.schema import tables_of
from propgraph.study import RUN, Study, is_study
from propgraph.writing import StudyWriter, link, write_run

#: Folder in a study that can be added to: what its files held, as they were read.
PARTS = "parts"
#: Folder in a study that was added to: its clusters as they were before, and what their members did by then.
BEFORE = "before"
# Tables that tell of clusters, and those of which the members' part does.
_OF_CLUSTERS = ("accounts", "members", "clusters", "campaigns", "sites")
_OF_MEMBERS = ("posts", "shares")
# What a study may be built with otherwise than before: it changes no table, or names a table that may have grown.
_FREE = ("logs", "threads", "key", "resolved", "follows", "sites")
# The run record's word, and the parameter's.
_OPTIONS = {"map": "mapping"}
_READ_BY = ("format", "encoding", "skip_lines", "time_format", "time_zone")


@dataclass(frozen=True)
class Adding:
    """What is to be added to a study.

    Attributes
    ----------
    study
        The study as it is.
    plan
        All files, in the order in which a build of all of them together would read them.
    names
        The new ones among them.
    notes
        Which files were left out, being there already, and which had grown.
    """

    study: Study
    plan: Plan
    names: list[str]
    notes: list[str]

    @property
    def earlier(self) -> dict[str, Any]:
        """The record of the build that is gone on from."""
        record: dict[str, Any] = self.study.run["build"]
        return record

    def record(self, run: Run, /) -> None:
        """Record which files came when, and what was told of those that are not read again."""
        logs = [*self.earlier["parameters"]["logs"], *run.record["parameters"]["logs"]]
        run.record["parameters"]["logs"] = list(dict.fromkeys(logs))
        if "sites" in self.earlier and not run.record["parameters"]["sites"]:
            run.record["sites"] = self.earlier["sites"]
        run.record["parts"] = [*parts_of(self.earlier), _part(run.record, self.names)]
        for note in self.notes:
            run.note(note)


def plan_adding(
    path: str | Path, new: Plan, /, *, parameters: Mapping[str, Any], secret: Key | None
) -> Adding | None:
    """Return how new files are added to the study at `path`; None where there is none yet.

    Parameters
    ----------
    path
        The study.
    new
        The new files.
    parameters
        The options as the run record has them.
    secret
        The key, where the study is to have pseudonyms.

    Raises
    ------
    InputError
        When a file has another content than it had, or one that is needed again is gone or changed.
    StudyError
        When what is there is no whole study.
    UsageError
        When an option is not the one that the study was built with.
    """
    if not is_study(Path(path)):
        return None
    study = Study.open(path)
    earlier = study.run.get("build")
    if earlier is None:
        raise StudyError(f"{path}: not made by `propgraph build`, so nothing can be added to it")
    _check_options(earlier, parameters, secret)
    times = TimeOptions(parameters["time_format"], parameters["time_zone"])
    old = _old_files(study, earlier, times)
    added, notes, grown = _new_files(old, new.files, earlier)
    files = sorted(
        [*(one for one in old if one.file.name not in grown), *added], key=lambda one: place_of(one.file)
    )
    return Adding(study, Plan(files, new.notes), [one.file.name for one in added], notes)


def keeping(plan: Plan, folder: Path, /) -> Plan:
    """Return a plan by which what is read is kept in a study's folder."""
    parts = folder / PARTS
    kept = [one if one.part else replace(one, parts=parts) for one in plan.files]
    return Plan(kept, plan.notes)


def parts_of(record: Mapping[str, Any], /) -> list[dict[str, Any]]:
    """Return which files came when, by the record of a build."""
    return record.get("parts") or [_part(record, [source["path"] for source in record["inputs"]])]


def _part(record: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {"id": record.get("id"), "started": record["started"], "files": list(names)}


def set_aside(writer: StudyWriter, /) -> None:
    """Put what the clusters were into a folder of the study, and take out the tables that are about them."""
    jobs = [job for job in ("clusters", "stability", "power") if job in writer.run]
    if "clusters" in jobs:
        folder = writer.folder / BEFORE
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name in (name for name in _OF_CLUSTERS if (writer.folder / f"{name}.parquet").exists()):
            link(writer.folder / f"{name}.parquet", folder / f"{name}.parquet")
        members = writer.source.scan("members").select("account_id")
        for name in _OF_MEMBERS:
            mine = writer.source.scan(name).join(members, on="account_id", how="semi", maintain_order="left")
            mine.sink_parquet(folder / f"{name}.parquet", maintain_order=True)
        write_run(folder / RUN, {job: writer.run[job] for job in ("build", "clusters")})
    for job in jobs:
        for name in tables_of(job):
            writer.drop(name)


def _check_options(earlier: Mapping[str, Any], parameters: Mapping[str, Any], secret: Key | None) -> None:
    before = earlier["parameters"]
    now = json.loads(json.dumps(parameters, default=str))
    for name, value in now.items():
        option = _OPTIONS.get(name, name)
        if name not in before or before[name] == value:
            continue
        if name not in _FREE:
            raise UsageError(
                f"{_shown(value)}, but the study was built with {_shown(before[name])}, and what is added goes by the "
                f"same; give {_shown(before[name])}, or build a study of its own",
                option=option,
            )
        if before[name] and not value and name in ("resolved", "follows", "sites"):
            raise UsageError(
                f"the study was built with {_shown(before[name])}; give that again, or one that holds more",
                option=option,
            )
    if secret is not None and secret.record["key_fingerprint"] != earlier["pseudonyms"]["key_fingerprint"]:
        raise UsageError(
            f"{secret.path} is not there, and it holds the key of this study's pseudonyms; put it back"
            if secret.is_new
            else f"{secret.path}: not the key of this study's pseudonyms; the same account would have two names",
            option="key",
        )


def _shown(value: Any) -> str:
    if value is None or value in ([], {}):
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}={column}" for name, column in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _old_files(study: Study, earlier: Mapping[str, Any], times: TimeOptions) -> list[PlannedFile]:
    """Return the files of a study as they were kept; those that were not, as they are to be read again."""
    sha256 = {source["path"]: source["sha256"] for source in earlier["inputs"]}
    parts = {part.told["name"]: part for part in kept_parts(study.path / PARTS)}
    old = [planned_as_kept(parts[name], times=times, sha256=sha256[name]) for name in sha256 if name in parts]
    lacking = [name for name in sha256 if name not in parts]
    return [*old, *_read_again(lacking, sha256, earlier)] if lacking else old


def _read_again(
    names: Sequence[str], sha256: Mapping[str, str], earlier: Mapping[str, Any]
) -> list[PlannedFile]:
    """Return files that no earlier build kept, as they are to be read again; they have to be as they were."""
    asked = earlier["parameters"]
    faults = [f"{name}: came by no file" for name in names if name.split(" ")[0] in ("-", "frame")]
    if not faults:
        try:
            read_by = {name: asked[name] for name in _READ_BY}
            plan = plan_logs(asked["logs"], mapping=asked["map"], keep=asked.get("keep") or (), **read_by)
        except InputError as error:
            raise InputError(f"{_cannot_read_again(earlier)} ({error})") from error
        again = {one.file.name: one for one in plan.files if one.file.name in names}
        digests = digests_of([one.file for one in again.values()])
        for name in names:
            if name not in again:
                faults.append(f"{name}: not there any more")
            elif digests[given_path(again[name].file)] != sha256[name]:
                faults.append(f"{name}: another content than when it was read")
    if faults:
        raise InputError(f"{_cannot_read_again(earlier)} ({together(faults)})")
    return [replace(again[name], sha256=sha256[name]) for name in names]


def _cannot_read_again(earlier: Mapping[str, Any]) -> str:
    why = (
        "of a study with pseudonyms nothing is kept as it was read"
        if earlier["parameters"].get("pseudonymise")
        else "it was not built with --append (in Python: append=True), so nothing is kept of them"
    )
    return (
        f"the files that the study was built of have to be read once more, for {why}; put them back where they were, "
        "or build anew of all that there is"
    )


def _new_files(
    old: Sequence[PlannedFile], new: Sequence[PlannedFile], earlier: Mapping[str, Any]
) -> tuple[list[PlannedFile], list[str], set[str]]:
    """Return the files to add, what to tell of others, and the names of the old ones that a grown one replaces."""
    there = {one.sha256: one.file.name for one in reversed(old)}
    before = {one.file.name: one for one in old}
    n_before = {
        kind: max((number_of(one.file) for one in old if kind_of(one.file) == kind), default=0)
        for kind in ("file", "stdin", "frame")
    }
    digests = digests_of([one.file for one in new])
    added, notes, grown = [], [], set()
    for one in new:
        sha256 = digests[given_path(one.file)]
        if sha256 in there:
            as_what = f", as {there[sha256]}" if there[sha256] != one.file.name else ""
            notes.append(f"{one.file.name}: in the study already{as_what} (the same SHA-256); left out")
            continue
        named = replace(one, file=further(one.file, n_before[kind_of(one.file)]), sha256=sha256)
        if (known := before.get(named.file.name)) is not None:
            _check_grown(one, known)
            notes.append(f"{one.file.name}: grew since it was read; read anew, and it counts once")
            grown.add(one.file.name)
        added.append(named)
    return added, notes, grown


def _check_grown(now: PlannedFile, before: PlannedFile) -> None:
    """Raise `InputError` unless a file begins with all that it held before: else that would be lost."""
    path, n_bytes = given_path(now.file), before.n_bytes
    if now.file.given is None and path.stat().st_size > n_bytes:
        with path.open("rb") as file:
            start = hashlib.sha256()
            while n_bytes and (piece := file.read(min(n_bytes, 1 << 20))):
                start.update(piece)
                n_bytes -= len(piece)
        if start.hexdigest() == before.sha256:
            return
    raise InputError(
        f"{now.file.name}: the study holds a file of that name, with another content, and what it held would be lost; "
        "give the new one another name"
    )
