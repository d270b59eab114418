"""Any warehouse: every stream on two days, every key and value against its last record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from warehouses.declared import TARGETS, TYPED

if TYPE_CHECKING:
    from pathlib import Path

    from warehouses.place import Installed


@pytest.mark.parametrize("target", [*TARGETS, *TYPED], ids=lambda target: target.name)
def test_every_value_of_two_days_is_there_with_its_type(target: Installed, tmp_path: Path) -> None:
    if not target.is_installed:
        pytest.skip("make warehouses installs it")

    result = target.load(tmp_path)

    assert result.differences == []
    assert result.streams > 100
