"""Crews: groups of accounts that are found on one half of the objects and tested on the other."""
