"""Runs tap-pinterest for many connections, each with a credential, a state and a schema."""
