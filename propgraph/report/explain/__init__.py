"""Why something is, or is not, flagged: the posts that show it, what speaks against it, what cannot be known."""
