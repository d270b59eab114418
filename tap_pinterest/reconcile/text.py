"""A comparison as text for people."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from tap_pinterest.api.naming import in_words
from tap_pinterest.reconcile.findings import SPEND, Finding, Outcome, Report
from tap_pinterest.run.table import aligned

WORDS: Mapping[Outcome, str] = {
    "equal": "equal",
    "differs": "different",
    "not comparable": "not comparable",
}
HEADINGS = ("source", "metric", "here", "Pinterest", "result")


def lines(report: Report) -> Iterator[str]:
    """The report, ad account by ad account."""
    by_account = sorted(report.findings, key=lambda each: each.ad_account_id)
    for ad_account_id, found in itertools.groupby(by_account, lambda each: each.ad_account_id):
        yield f"{in_words(ad_account_id).capitalize()}, {report.days}"
        yield from _of_account(list(found))
        yield ""
    yield from (f"Note: {each}." for each in report.notes)
    yield _verdict(report)


def _of_account(findings: Sequence[Finding]) -> Iterator[str]:
    """A table of spend and of all differences, the proofs, and the number of each outcome."""
    shown = [each for each in findings if _is_shown(each)]
    table = aligned([HEADINGS, *map(_cells, shown)], {"here", "Pinterest"})
    for line, finding in zip(table, [None, *shown], strict=True):
        yield f"  {line}"
        yield from (f"      {each}" for each in (finding.examples if finding else ()))
    for name, text in dict.fromkeys((c.name, c.text) for each in shown for c in each.causes):
        yield f"  {name}: {text}"
    for source, found in itertools.groupby(findings, lambda each: each.source):
        outcomes = Counter(each.outcome for each in found)
        counts = [f"{outcomes[name]} {word}" for name, word in WORDS.items() if outcomes[name]]
        yield f"  {source}: {', '.join(counts)}"


def _is_shown(finding: Finding) -> bool:
    return finding.outcome == "differs" or (finding.metric in SPEND and not finding.obstacle)


def _cells(finding: Finding) -> tuple[str, ...]:
    result: str = finding.outcome
    if result == "equal" and finding.difference:
        result = f"equal within {_number(finding.tolerance)}"
    if result == "differs":
        reasons = [f"{each.name} {_number(each.amount)}" for each in finding.causes]
        if finding.unexplained:
            reasons.append(f"not explained {_number(finding.unexplained)}")
        result = f"differs by {_number(finding.difference)}: {', '.join(reasons)}"
    numbers = (_number(finding.here), _number(finding.pinterest))
    return (finding.source, finding.metric.lower(), *numbers, result)


def _number(number: Decimal) -> str:
    return f"{number.normalize():,f}"


def _verdict(report: Report) -> str:
    if any(each.failed for each in report.findings):
        return "Spend differs, and nothing explains all of it."
    if report.is_cut_short:
        return "Not everything could be compared."
    if report.failed:
        return "No spend could be compared."
    if any(each.outcome == "differs" for each in report.findings):
        rest = any(each.unexplained for each in report.findings)
        others = " Other metrics differ without a cause." if rest else ""
        return f"Spend is equal or explained.{others}"
    return "All that can be compared is equal."
