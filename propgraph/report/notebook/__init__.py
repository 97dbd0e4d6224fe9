"""What a study shows of itself in a cell of a notebook: a summary, figures, the posts behind a flag."""
