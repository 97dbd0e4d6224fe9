"""Whether clusters hold when the choices behind them are made otherwise."""
