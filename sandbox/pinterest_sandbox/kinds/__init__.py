"""Kinds of records besides the entities that have numbers, grouped like the answers.

Each row says what a record belongs to, which schema it has, how many there are, and what this
world knows of it.
"""
