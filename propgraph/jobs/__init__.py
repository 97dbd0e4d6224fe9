"""A study's jobs, one a file: `build`, `find_clusters`, then `measure_stability`, `measure_power`."""
