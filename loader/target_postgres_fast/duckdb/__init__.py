"""The back end for DuckDB, in a file or at MotherDuck."""
