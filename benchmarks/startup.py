"""How long commands take that do nothing, whole process: python benchmarks/startup.py.

`propgraph --help`, and the two jobs where they fail at once: a log and a study that are not there.
"""

from timing import PROPGRAPH, run

COMMANDS = (
    ("--help",),
    ("build", "missing.csv", "-o", "missing"),
    ("clusters", "missing"),
)

for arguments in COMMANDS:
    code = 0 if arguments == ("--help",) else 1
    run(PROPGRAPH, *arguments, ends_with=code)
    walls = sorted(run(PROPGRAPH, *arguments, ends_with=code).wall_s for _ in range(11))
    print(f"propgraph {' '.join(arguments)}: median {walls[5]:.3f} s, slowest {walls[-1]:.3f} s of 11")
