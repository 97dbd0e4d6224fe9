"""Posts to shares: what kind of object each post carries on."""
