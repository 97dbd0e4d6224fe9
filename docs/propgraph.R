# Studies of propgraph as R frames, and CooRTweet's graph from their edges. Needs data.table, and igraph for the graph.
# With arrow tables are read from the study as they are, without it by way of CSV.

# Run a command, as propgraph("build", "log.csv", "-o", "study"), and stop where it fails.
propgraph <- function(...) {
  status <- system2("propgraph", shQuote(c(...)), stdout = FALSE)
  if (status != 0) stop("propgraph ", c(...)[1], " ended with ", status, call. = FALSE)
  invisible(status)
}

# A table of a study, such as "edges" or "clusters": ids as text, times as POSIXct in UTC, lists joined by "|".
read_study <- function(study, table) {
  if (requireNamespace("arrow", quietly = TRUE)) {
    frame <- data.table::as.data.table(arrow::read_parquet(file.path(study, paste0(table, ".parquet"))))
    lists <- names(frame)[vapply(frame, is.list, TRUE)]
    for (name in lists) {
      data.table::set(frame, j = name, value = vapply(frame[[name]], paste, "", collapse = "|"))
    }
    return(frame[])
  }
  folder <- tempfile("tables")
  propgraph("export", study, "-o", folder, "--table", table)
  columns <- data.table::fread(file.path(folder, "dictionary.csv"))
  # Ids are digits often enough: fread would round them.
  text <- columns[columns$table == table & grepl("^(String|List)", columns$dtype)]$column
  times <- columns[columns$table == table & grepl("^Datetime", columns$dtype)]$column
  frame <- data.table::fread(
    file.path(folder, paste0(table, ".csv")),
    colClasses = list(character = c(text, times)), na.strings = ""
  )
  for (name in times) {
    data.table::set(frame, j = name, value = as.POSIXct(frame[[name]], "UTC", format = "%Y-%m-%dT%H:%M:%OSZ"))
  }
  frame[]
}

# The graph that CooRTweet's generate_coordinated_network returns, from a study's edges: weight, avg_time_delta (s) and
# weight_threshold, 1 where the weight is above the quantile `edge_weight` of all weights.
coordinated_network <- function(edges, edge_weight = 0.5) {
  rows <- data.frame(
    from = edges$source, to = edges$target, weight = as.numeric(edges$n_events), avg_time_delta = edges$mean_delta_s
  )
  rows$weight_threshold <- as.numeric(rows$weight > stats::quantile(rows$weight, edge_weight))
  igraph::graph_from_data_frame(rows, directed = FALSE)
}
