"""Who shared the same objects at the same time, and what chance explains of it."""
