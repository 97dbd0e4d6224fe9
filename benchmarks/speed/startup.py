"""How long commands take that do nothing, whole process.

    python -m benchmarks startup

`propgraph --help`, and the two jobs where they fail at once: a log and a study that are not there.
"""

from benchmarks.timing import PROPGRAPH, run

COMMANDS = (
    ("--help",),
    ("build", "missing.csv", "-o", "missing"),
    ("clusters", "missing"),
)


def main() -> None:
    """Time each command eleven times, after one that warms up."""
    for arguments in COMMANDS:
        code = 0 if arguments == ("--help",) else 1
        run(PROPGRAPH, *arguments, ends_with=code)
        walls = sorted(run(PROPGRAPH, *arguments, ends_with=code).wall_s for _ in range(11))
        print(f"propgraph {' '.join(arguments)}: median {walls[5]:.3f} s, slowest {walls[-1]:.3f} s of 11")


if __name__ == "__main__":
    main()
