"""`python -m target_postgres_fast`."""

from __future__ import annotations

from target_postgres_fast.postgres.start import main

main()
