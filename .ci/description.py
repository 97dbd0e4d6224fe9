"""Holds the installed distribution against what a page that shows it needs: whole links, and its parts."""

import re
import sys
from importlib.metadata import files, metadata

told = metadata("propgraph")
home = dict(url.split(", ", 1) for url in told.get_all("Project-URL"))["Homepage"]
text = told.get_payload()
links = re.findall(r"\]\(([^)\s]+)", text)
bad = [link for link in links if not link.startswith(("https://", "#"))]
here = {str(file) for file in files("propgraph")}
missing = {"propgraph/py.typed", "propgraph/__main__.py"} - here
if bad or missing or not any(link.startswith(home) for link in links):
    sys.exit(f"links that lead nowhere: {bad}; missing: {missing}; links: {len(links)}")
sys.stdout.write(f"{len(links)} links, all whole; {len(here)} files\n")
