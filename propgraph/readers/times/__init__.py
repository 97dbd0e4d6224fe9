"""What a time says: its unit or how it is written, by whose clocks, and how fine it is."""
