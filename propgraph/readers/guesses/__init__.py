"""What the columns of a log that no reader knows likely are, told by what is in them; offered, never taken."""
