"""Co-sharing in a time window: who shared the same objects within seconds, and what chance explains of it."""
