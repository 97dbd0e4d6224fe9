"""Cascades joined to accounts and clusters: who starts them, who carries them, by which structure."""
