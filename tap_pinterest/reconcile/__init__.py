"""Loaded tables and exports of Ads Manager, compared with fresh numbers from Pinterest."""

from __future__ import annotations
