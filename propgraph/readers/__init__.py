"""Platform logs to posts: one file a platform, one registry, detection by content."""
