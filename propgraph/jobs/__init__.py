"""The jobs that make a study's tables: `build`, then `find_clusters`, then `measure_stability`; one a file."""
