"""Any warehouse: every stream on two days, every key and value against its last record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from scripts.processes import ROOT
from warehouses.declared import TARGETS, TYPED

if TYPE_CHECKING:
    from pathlib import Path

    from warehouses.place import Installed


def test_meltano_installs_what_was_tested() -> None:
    """Each loader that `meltano install` gets has the pins of its target here."""
    document = YAML().load(ROOT / "meltano.yml")
    pins = [each["pip_url"].split() for each in document["plugins"]["loaders"] if "pip_url" in each]
    tested = [[*each.packages] for each in (*TARGETS, *TYPED)]

    assert all(any(each == of[: len(each)] for of in tested) for each in pins)
    assert len(pins) == 7


@pytest.mark.parametrize("target", [*TARGETS, *TYPED], ids=lambda target: target.name)
def test_every_value_of_two_days_is_there_with_its_type(target: Installed, tmp_path: Path) -> None:
    if not target.is_installed:
        pytest.skip("make warehouses installs it")

    result = target.load(tmp_path)

    assert result.differences == []
    assert result.streams > 100
