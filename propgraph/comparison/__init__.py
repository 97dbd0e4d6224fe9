"""Two studies held against each other: which clusters stayed, which came back under other names, which are gone."""
