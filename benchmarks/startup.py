"""How long `propgraph --help` takes, whole process: python benchmarks/startup.py."""

from timing import PROPGRAPH, run

run(PROPGRAPH, "--help")
walls = sorted(run(PROPGRAPH, "--help").wall_s for _ in range(11))
print(f"propgraph --help: median {walls[5]:.3f} s, slowest {walls[-1]:.3f} s of 11")
