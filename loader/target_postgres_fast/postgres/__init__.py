"""The back end for PostgreSQL: the stock target, with a faster way in."""
