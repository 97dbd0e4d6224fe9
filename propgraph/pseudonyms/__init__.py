"""Pseudonyms in place of accounts, names and posts, by a key that stays with whoever made the study."""
