"""A job as named steps: each takes what is there by name, and makes something else."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from propgraph.provenance import Run


@dataclass(frozen=True)
class Step:
    """One step of a job.

    Attributes
    ----------
    name
        What it is called in `run.json`, and where it fails.
    do
        What it does: a function whose parameters are named for what they take.
    makes
        The names of what `do` returns: of all of it, or of the parts of a tuple where there are several. None where
        it writes what it makes by itself.
    """

    name: str
    do: Callable[..., Any]
    makes: tuple[str, ...] = ()

    @property
    def takes(self) -> tuple[str, ...]:
        """The names of what has to be there before."""
        return tuple(inspect.signature(self.do).parameters)

    def run(self, held: Mapping[str, Any], /) -> dict[str, Any]:
        """Return what the step makes of what is there, by name.

        Raises
        ------
        KeyError
            When something that it takes is not there.
        """
        made = self.do(**{name: held[name] for name in self.takes})
        if not self.makes:
            return {}
        return dict(zip(self.makes, made if len(self.makes) > 1 else (made,), strict=True))


def run_steps(
    steps: Sequence[Step],
    given: Mapping[str, Any],
    /,
    *,
    run: Run,
    wanted: Sequence[str],
    tell: Callable[[float], None] = lambda _: None,
) -> dict[str, Any]:
    """Go through the steps of a job in order, and return what is wanted of all they made.

    What no later step takes, and nobody wants, is let go of at once. An error tells in which step it came up.

    Parameters
    ----------
    steps
        The steps.
    given
        What is there before the first, by name.
    run
        The record that tells how long each step took, and how much memory.
    wanted
        Names of what to return.
    tell
        Called with the fraction of the steps done, 0..1.
    """
    held = dict(given)
    for k, step in enumerate(steps):
        tell(k / len(steps))
        with run.step(step.name):
            held |= step.run(held)
        later = {name for one in steps[k + 1 :] for name in one.takes} | set(wanted)
        held = {name: value for name, value in held.items() if name in later}
    tell(1.0)
    return held


def steps_towards(steps: Sequence[Step], wanted: Sequence[str], /) -> list[Step]:
    """Return those steps of a job, in order, without which what is wanted cannot be made."""
    names, kept = set(wanted), []
    for step in reversed(steps):
        if names & set(step.makes):
            kept.append(step)
            names |= set(step.takes)
    return kept[::-1]
