"""What an app, or whoever deals out tasks, leaves in a log: its order, its quotas, its releases, its shifts."""
