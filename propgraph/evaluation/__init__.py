"""How well what was found meets what is known of the accounts."""
