"""No form of a secret is in any text that a run writes."""

from __future__ import annotations

import base64
import html
import json
import logging
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from singer_run import run, settings
from tap_pinterest.http.redaction import MAX_ERROR_CHARACTERS, Secrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinterest_sandbox import Sandbox


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in upper case": str.upper,
    "URL-encoded": lambda text: quote(text, safe=""),
    "URL-encoded, with small letters": lambda text: quote(text, safe="").lower(),
    "as a path": quote,
    "as a form field": quote_plus,
    "in base64": in_base64,
    "in base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "in base64 without padding": lambda text: in_base64(text).rstrip("="),
    "in base64, URL-encoded": lambda text: quote_plus(in_base64(text)),
    "in base64, cut into lines": lambda text: base64.encodebytes(text.encode()).decode(),
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in HTML": html.escape,
}
"""Ways in which a service may repeat a secret, each as this test writes it."""

SECRETS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), min_size=8, max_size=90)
WORDS = st.text(st.sampled_from("xyz "), max_size=20)


def without_blanks(text: str) -> str:
    return "".join(text.split())


@example(("0000000u", "0000000ß"), "in upper case", "", "")
@given(st.tuples(SECRETS, SECRETS), st.sampled_from([*FORMS]), WORDS, WORDS)
def test_every_form_of_a_secret_and_of_a_pair_is_hidden(
    pair: tuple[str, str], form: str, before: str, after: str
) -> None:
    user, password = pair
    secrets = Secrets()
    secrets.add_pair(user, password)

    for secret in (password, f"{user}:{password}"):
        repeated = FORMS[form](secret)
        hidden = secrets.hidden_in(f"{before}{repeated}{after}")
        if form != "in upper case":
            assert without_blanks(repeated) not in without_blanks(hidden)
        assert "***" in hidden
        assert len(hidden) <= MAX_ERROR_CHARACTERS


def test_a_report_that_repeats_a_secret_is_logged_without_it(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    config = settings(sandbox, report_transport="async", start_date="yesterday")
    secret = config["client_secret"]
    said = {"report_status": "FAILED", "message": f"{secret} {in_base64(secret)}"}
    sandbox.fail("*/reports", method="POST", status=200, body=said, times=None)

    assert run(config, "ad_account_analytics").code == 1

    assert "FAILED: *** ***" in caplog.text
    assert secret not in caplog.text


@given(SECRETS, st.sampled_from(["upper", "lower", "swapcase"]))
def test_the_quick_check_for_secrets_finds_all_that_the_pattern_finds(
    secret: str, case: str
) -> None:
    quick, thorough = Secrets(), Secrets()
    quick.add(secret)
    thorough.add(secret)
    thorough._signs = frozenset({""})
    repeated = " ".join(getattr(secret, case)())

    assert quick.hidden_in(repeated) == thorough.hidden_in(repeated)


@given(WORDS)
def test_a_text_without_a_secret_stays(text: str) -> None:
    secrets = Secrets()
    secrets.add("open sesame", "abc", "", None)

    assert secrets.hidden_in(text) == text


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("where", ["message", "request id"])
def test_no_form_of_a_secret_of_a_run_is_logged(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, form: str, where: str
) -> None:
    caplog.set_level(logging.DEBUG)
    config = settings(sandbox)
    secret = config["client_secret"]
    own = [secret, f"{config['client_id']}:{secret}", config["refresh_token"]]
    repeated = [FORMS[form](each) for each in own]
    fault = {"message": f"Bad: {' and '.join(repeated)}", "code": 1}
    rid = {"x-pinterest-rid": urlencode({"of": repeated[1].strip().replace("\n", "")})}
    for path, status in (("/boards", 400), ("/oauth/token", 503)):
        if where == "message":
            sandbox.fail(path, status=status, body=fault, times=2)
        else:
            sandbox.fail(path, status=status, headers=rid, times=2)

    run(config, "boards", "campaigns")

    assert "400" in caplog.text
    logged = without_blanks(caplog.text)
    for each in repeated:
        assert without_blanks(each) not in logged
