"""The slow, obvious twin of `pages.with_one_address`: link by link, page by page."""

import re

from propgraph.traces.pages import PAGES


def one_address(url, site):
    """Return the address that is kept of the page that `url` on `site` is, and whether it is short."""
    for page in PAGES:
        if page.site in (site, "") and not (page.site == "" and any(other.site == site for other in PAGES)):
            found = re.fullmatch(page.pattern.removeprefix("^").removesuffix("$"), url)
            if found:
                kept = re.sub(r"\$\{(\w+)\}", lambda group, found=found: found[group[1]], page.form) or url
                return kept.lower() if page.folds else kept, page.is_short
    return url, False
