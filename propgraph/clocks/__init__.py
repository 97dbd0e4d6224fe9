"""Platforms, or files, whose clocks differ: found by the objects that they share, and put right where that is asked."""
