"""Who carried a story on from whom, and the shape that this gave it."""
