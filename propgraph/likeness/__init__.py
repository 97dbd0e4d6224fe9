"""Accounts that share more of the same objects, at any times, than activity and popularity explain."""
