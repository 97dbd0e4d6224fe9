"""One file a platform: what its logs look like, and how they become posts."""
