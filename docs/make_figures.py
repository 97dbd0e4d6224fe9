"""Write docs/figures.md and its pictures from the sample log, which is simulated: python docs/make_figures.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import propgraph as pg
from propgraph.report.figures.bar_code import bar_code
from propgraph.report.figures.creation import creation
from propgraph.report.figures.early_share import early_share
from propgraph.report.figures.figure import Figure
from propgraph.report.figures.gaps import gaps
from propgraph.report.figures.heat_map import heat_map
from propgraph.report.figures.network_map import network_map
from propgraph.report.figures.timeline import timeline
from propgraph.report.figures.waterfall import waterfall

HERE = Path(__file__).parent
SAMPLE = HERE.parent / "data" / "veles.parquet"
HEAD = """# Figures of the report

Made by `python docs/make_figures.py` from the sample log, in which all accounts and sites are simulated. `propgraph
report` draws the same of any study; text below a figure is its caption, then what is read to those who cannot see it.
Of single clusters one that is flagged is shown, and after it one that is not, for another explanation fits it.

The code behind each picture goes on from this, after `make demo`:

```python
import propgraph as pg

study = pg.Study.open("demo/study")
```
"""

#: What is drawn, with its heading: of the whole log, and of one cluster.
OF_LOG: tuple[tuple[str, Callable[[pg.Study], Figure | None]], ...] = (
    ("When", timeline),
    ("Who met whom", network_map),
)
OF_CLUSTER: tuple[tuple[str, Callable[[pg.Study, str], Figure | None]], ...] = (
    ("What they shared, and when at once", bar_code),
    ("How soon they follow each other", gaps),
    ("When in the week they post", heat_map),
    ("When the accounts were opened", creation),
    ("Their part of the first shares", early_share),
    ("What the score is made of", waterfall),
)


def write(folder: Path) -> None:
    """Write the page and its pictures into `folder`."""
    with TemporaryDirectory() as scratch:
        study = pg.find_clusters(pg.build(SAMPLE, Path(scratch) / "study"))
        clusters = study.clusters
        flagged = clusters.filter("flagged")["cluster_id"][0]
        innocent = clusters.filter(~clusters["flagged"])["cluster_id"][0]
        parts = [HEAD]
        for heading, draw in OF_LOG:
            parts.append(_part(folder, heading, draw.__name__, draw(study)) + _code(draw.__name__))
        for heading, draw in OF_CLUSTER:
            for name, what in ((flagged, "flagged"), (innocent, "not flagged")):
                part = _part(
                    folder, f"{heading}: {name}, {what}", f"{draw.__name__}_{name}", draw(study, name)
                )
                parts.append(part + _code(draw.__name__, name))
    (folder / "figures.md").write_text("\n".join(parts), encoding="utf-8")


def _part(folder: Path, heading: str, name: str, figure: Figure | None) -> str:
    if figure is None:
        return ""
    (folder / "figures").mkdir(exist_ok=True)
    # A picture by itself has no page behind it.
    start = figure.svg.index(">") + 1
    paper = '<path d="M0 0h600v1200h-600z" fill="#fff"/>'
    (folder / "figures" / f"{name}.svg").write_text(
        figure.svg[:start] + paper + figure.svg[start:] + "\n", encoding="utf-8"
    )
    return f"## {heading}\n\n![{figure.alt}](figures/{name}.svg)\n\n{figure.caption}\n\n*{figure.alt}*\n"


#: The figures' names as methods of `study.plot`, where they are called otherwise there.
_METHODS = {"network_map": "network", "waterfall": "score", "heat_map": "heatmap"}


def _code(draw: str, cluster: str = "") -> str:
    """Return the block that draws a picture by itself."""
    call = f'{_METHODS.get(draw, draw)}("{cluster}")' if cluster else f"{_METHODS.get(draw, draw)}()"
    file = f"{draw}_{cluster}.svg" if cluster else f"{draw}.svg"
    return f'\n```python\nstudy.plot.{call}.save("{file}")\n```\n'


if __name__ == "__main__":
    write(HERE)
