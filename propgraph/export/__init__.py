"""Results on their way out: GraphML for Gephi, tables that are safe to open anywhere."""
