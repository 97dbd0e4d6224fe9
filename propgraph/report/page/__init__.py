"""The report: one page by itself, made of a study's tables, to read, to print and to hand over."""
