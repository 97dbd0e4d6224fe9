"""What cascades look like: size, depth, breadth, virality, growth, and how that compares."""
