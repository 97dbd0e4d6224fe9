"""`--config`: the options of an earlier run, out of its `run.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from propgraph.errors import InputError, did_you_mean, listed
from propgraph.options import AUTO

# What a run record calls otherwise than the command does.
_NAMES = {"map": "mapping"}


def read_config(path: Path, job: str, /) -> dict[str, Any]:
    """Return the options of a job as a run record has them, by name; those that say nothing left out.

    Parameters
    ----------
    path
        A `run.json`, or the study that it lies in.
    job
        `build` or `clusters`.

    Raises
    ------
    InputError
        When it is none, or that job is not in it.
    """
    file = path / "run.json" if path.is_dir() else path
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{file}: no such file", option="config") from error
    except (ValueError, OSError, RecursionError) as error:
        raise InputError(f"{file}: cannot be read as JSON ({error})", option="config") from error
    if not isinstance(record, dict):
        raise InputError(f"{file}: not a run record; give the run.json of a study", option="config")
    if job not in record:
        raise InputError(
            f"{file}: no run of {job!r} in it; found {listed(map(str, record))}", option="config"
        )
    parameters = record[job].get("parameters") if isinstance(record[job], dict) else None
    if not isinstance(parameters, dict):
        raise InputError(f"{file}: {job}.parameters: no options there", option="config")
    return {name: value for name, value in parameters.items() if value is not None and value not in ([], {})}


def _take(context: typer.Context, value: Path | None) -> Path | None:
    """Make the options of a run record the defaults of the command; what is typed wins over them."""
    if value is None or context.resilient_parsing:
        return value
    command = str(context.info_name)
    known = {parameter.name: parameter for parameter in context.command.params}
    defaults = {}
    for name, recorded in read_config(value, command).items():
        parameter: Any = known.get(_NAMES.get(name, name))
        where = f"{value}: {command}.parameters.{name}"
        if parameter is None:
            raise InputError(
                f"{where}: `propgraph {command}` has no such option{did_you_mean(name, map(str, known))}",
                option="config",
            )
        written = _written(name, recorded)
        several = getattr(parameter, "multiple", False) or parameter.nargs == -1
        if several != isinstance(written, list) or isinstance(written, dict):
            raise InputError(
                f"{where}: {recorded!r} is not {'a list' if several else 'one value'}", option="config"
            )
        try:
            parameter.process_value(context, written)
        except typer.BadParameter as error:
            raise InputError(f"{where}: {error.message}", option="config") from error
        defaults[parameter.name] = written
    context.default_map = {**(context.default_map or {}), **defaults}
    return value


def _written(name: str, recorded: Any) -> Any:
    """Return a value as it would be typed."""
    if name == "map" and isinstance(recorded, dict):
        return [name if name == own == AUTO else f"{name}={own}" for name, own in recorded.items()]
    if name == "time_window":
        several = recorded if isinstance(recorded, list) else [recorded]
        return ",".join(one if isinstance(one, str) else f"{one}s" for one in several)
    return recorded


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Take the options from this run.json (or study), paths as they were typed then; what is typed now wins.",
        show_default=False,
        is_eager=True,
        callback=_take,
    ),
]
