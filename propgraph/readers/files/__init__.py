"""Where the bytes of a log are: names to files, archives, packings, encodings."""
