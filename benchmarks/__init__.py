"""What is claimed of propgraph, measured: `python -m benchmarks` lists what each measurement shows."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Where the real logs are, beside the repository; measurements that need them say which.
SHARED = ROOT.parent / "shared" / "data"
