"""Singer target for PostgreSQL: meltanolabs-target-postgres, with a faster way in."""
