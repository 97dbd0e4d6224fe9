"""Communities measured: what each does, which rules it meets, and the posts that show it."""
