"""Which crews are planted, and which of them together in one search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from propgraph.options import PowerOptions

#: Of the log's accounts, planted ones are at most this fraction in one search; and of the objects that crews take.
MOST_ACCOUNTS, MOST_OBJECTS = 0.02, 0.5
#: Crews in one search, at most.
MOST_CREWS = 24


@dataclass(frozen=True, order=True)
class Cell:
    """One kind of crew: its accounts, the objects that they have in common, and within how long each (s)."""

    n_accounts: int
    n_objects: int
    span_s: float


def cells_of(options: PowerOptions, /) -> list[Cell]:
    """Return the cells of the grid, sorted."""
    return sorted(
        {
            Cell(size, n_objects, span)
            for size in options.sizes
            for n_objects in options.objects
            for span in options.spans
        }
    )


def searches_of(
    cells: Sequence[Cell], /, *, runs: int, seed: int, n_accounts: int, n_objects: int
) -> list[list[Cell]]:
    """Return which crews are planted together, a list a search; each cell is planted `runs` times in all.

    Cells stand in a drawn order, so that weak and strong crews are mixed; each crew goes into the first search that has
    room for it, and never twice the same cell into one. A crew too large for any has one by itself.

    Parameters
    ----------
    cells
        The cells.
    runs, seed
        How often each is planted, and where the draws begin.
    n_accounts, n_objects
        Accounts of the log, and objects that crews may take.
    """
    rng = np.random.default_rng(seed)
    searches: list[list[Cell]] = []
    for _ in range(runs):
        for k in rng.permutation(len(cells)):
            cell = cells[k]
            for crews in searches:
                together = [*crews, cell]
                if (
                    cell not in crews
                    and len(together) <= MOST_CREWS
                    and sum(one.n_accounts for one in together) <= MOST_ACCOUNTS * n_accounts
                    and sum(one.n_objects for one in together) <= MOST_OBJECTS * n_objects
                ):
                    crews.append(cell)
                    break
            else:
                searches.append([cell])
    return searches
