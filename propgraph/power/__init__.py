"""What a study would have found: crews planted in its own log, and searched for in the same way."""
