"""Rank synchrony: accounts that stand nearer to each other in the order of posts than chance puts them."""
