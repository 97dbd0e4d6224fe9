"""Logs with a known truth, to learn on and to be measured by."""
