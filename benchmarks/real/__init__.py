"""What comes out of real logs."""
