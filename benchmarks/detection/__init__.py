"""Who is found, on logs with a known truth, and whether the probabilities hold."""
