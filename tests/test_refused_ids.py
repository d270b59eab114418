"""Calls for many ids that Pinterest refuses because of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_pinterest.reading.refused_ids import Refused, Search

if TYPE_CHECKING:
    from collections.abc import Collection

    from tap_pinterest.reading.refused_ids import Ids

IDS = tuple(map(str, range(250)))


def pieces(search: Search, bad: Collection[str]) -> tuple[list[Ids], list[Ids]]:
    """The answered and the refused pieces of a search, if Pinterest refuses some ids."""
    answered: list[Ids] = []
    refused: list[Ids] = []
    for ids in search:
        is_refused = not {*bad}.isdisjoint(ids)
        assert search.settles(ids, is_refused=is_refused) is (not is_refused or len(ids) == 1)
        (refused if is_refused else answered).append(ids)
    return answered, refused


@pytest.mark.parametrize("bad", ["0", "1", "124", "125", "200", "249"])
def test_one_id_among_250_is_found_with_few_calls(bad: str) -> None:
    answered, refused = pieces(Search(IDS, Refused()), {bad})

    assert sorted(each for ids in answered for each in ids) == sorted({*IDS} - {bad})
    assert refused[-1] == (bad,)
    assert len(answered) + len(refused) <= 16


def test_an_id_that_is_known_to_be_refused_costs_two_calls() -> None:
    refused = Refused()
    pieces(Search(IDS, refused), {"7"})

    others = tuple(each for each in IDS if each != "7")
    assert pieces(Search(IDS, refused), {"7"}) == ([others], [("7",)])
    # It may be answered again, for other days.
    assert pieces(Search(IDS, refused), {}) == ([others, ("7",)], [])


def test_a_refusal_of_every_id_costs_three_calls_and_the_next_one_none() -> None:
    refused = Refused()
    search = Search(IDS, refused)

    assert pieces(search, IDS) == ([], [("0",), ("249",), ("125",)])
    assert search.is_in_vain
    again = Search(IDS, refused)
    assert pieces(again, IDS) == ([], [])
    assert again.is_in_vain


def test_two_refused_ids_do_not_end_the_search_in_other_calls() -> None:
    refused = Refused()
    pieces(Search(("1", "2"), refused), {"1", "2"})

    assert pieces(Search(IDS, refused), {"1", "2"})[0]


@given(bad=st.sets(st.sampled_from(IDS)), size=st.integers(2, 250))
def test_each_id_is_answered_or_refused_alone(bad: set[str], size: int) -> None:
    ids, search = IDS[:size], Search(IDS[:size], Refused())

    answered, refused = pieces(search, bad)

    read = [each for piece in answered for each in piece]
    alone = [piece[0] for piece in refused if len(piece) == 1]
    assert len(read) == len({*read})
    assert search.is_in_vain is not bool(read)
    if read:
        assert sorted(read + alone) == sorted(ids)
    assert len(answered) + len(refused) <= 2 * size
