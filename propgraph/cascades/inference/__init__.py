"""Parents that the log does not name, guessed: by who follows whom, by popularity and delay, by a learned law."""
