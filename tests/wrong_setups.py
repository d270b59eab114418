"""Set-ups as a new user has them, wrong or only unusual, and the line that each has to show.

A set-up is the README's smallest project. Its variables in `.env` differ from right ones as the
table says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TAP, LOADER = "tap-pinterest", "target-postgres"
TOKEN, ADDRESS, SCHEMA = (
    "PINTEREST_ACCESS_TOKEN",
    "POSTGRES_URL",
    "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA",
)
ONE_STREAM = {"TAP_PINTEREST__SELECT": '["ad_accounts.*"]'}
APP = {"TAP_PINTEREST_CLIENT_ID": "1234567", "TAP_PINTEREST_CLIENT_SECRET": "the-secret"}


@dataclass(frozen=True)
class SetUp:
    """A set-up, and what a run has to say about it.

    In the texts `{...}` stands for what differs from run to run.

    Attributes:
        says: Parts of the only warning or error.
        by: The program that says it.
        code: The exit code of the run.
        variables: Variables that differ from right ones; None for one that is missing.
        edit: A text in `meltano.yml`, and what stands there in its place.
        and_by: Another program with a fault of its own, which it names if Meltano lets it.
    """

    says: tuple[str, ...] = ()
    by: str = TAP
    code: int = 1
    variables: Mapping[str, str | None] = field(default_factory=dict)
    edit: tuple[str, str] = ("", "")
    and_by: str | None = None


def wrong(*says: str, **variables: str | None) -> SetUp:
    """A set-up that the tap refuses, or cannot read with."""
    return SetUp(
        says, variables={f"TAP_PINTEREST_{name}": text for name, text in variables.items()}
    )


def unusable(url: str | None, *says: str, **variables: str) -> SetUp:
    """A PostgreSQL that cannot be loaded."""
    return SetUp(says, LOADER, variables={ADDRESS: url, **variables})


def accepted(*says: str, by: str = TAP, **variables: str | None) -> SetUp:
    """A set-up that loads; of all streams only one, which is faster."""
    return SetUp(says, by, 0, {**ONE_STREAM, **variables})


SET_UPS: Mapping[str, SetUp] = {
    # PostgreSQL
    "no server": unusable(
        "postgresql://plain:{password}@127.0.0.1:{closed}/postgres",
        "No PostgreSQL answers at 127.0.0.1:{closed}. Start it",
    ),
    "an unknown host": unusable(
        "postgresql://plain:x@nowhere.invalid/postgres", "The host nowhere.invalid is not known"
    ),
    "a wrong password": unusable(
        "postgresql://plain:wrong@{host}/postgres",
        "refuses the password of user plain. Correct it in sqlalchemy_url",
    ),
    "no such user": unusable(
        "postgresql://nobody:{password}@{host}/postgres", "refuses the password of user nobody"
    ),
    "no such database": unusable("{plain}analytics", "has no database analytics. Create it"),
    "TLS demanded": unusable(
        "postgresql://outside:{password}@{host}/postgres", "demands TLS. Put sslmode=require"
    ),
    "no TLS there": unusable("{plain}postgres?sslmode=require", "demands TLS, but PostgreSQL at"),
    "no permission to create a schema": unusable(
        "{plain}postgres", 'CREATE SCHEMA "new" AUTHORIZATION "plain";', **{SCHEMA: "new"}
    ),
    "no permission to use the schema": unusable(
        "{plain}postgres", 'GRANT USAGE, CREATE ON SCHEMA "closed"', **{SCHEMA: "closed"}
    ),
    "no permission to create tables": unusable(
        "{plain}postgres", 'GRANT CREATE ON SCHEMA "seen"', **{SCHEMA: "seen"}
    ),
    "no permission for temporary tables": unusable(
        "{owner}narrow", 'GRANT TEMPORARY ON DATABASE "narrow"'
    ),
    "read-only": unusable(
        "postgresql://reader:{password}@{host}/postgres", "is read-only for user", "ALTER ROLE"
    ),
    "no room": unusable(
        "{owner}crowded", "The disk of PostgreSQL is full", "No space left", **ONE_STREAM
    ),
    "no address": unusable(None, "No database is named. Set sqlalchemy_url"),
    "another database": unusable("mysql://plain:x@{host}/postgres", "begins with mysql, but"),
    "no URL": unusable("host=127.0.0.1 user=plain password=topsecret", "is not the URL"),
    "a password with an @": unusable(
        "postgresql://plain:top@secret:x@{host}/postgres", "@ is written %40"
    ),
    "an unknown option": unusable(
        "{plain}postgres?pgbouncer=true", "pgbouncer", "Remove the option"
    ),
    # Settings
    "a misspelt variable": wrong("did you mean TAP_PINTEREST_START_DATE?", STAR_DATE="today"),
    "variables of Kubernetes": accepted(
        TAP_PINTEREST_PORT="tcp://10.0.0.1:443", TAP_PINTEREST_SERVICE_HOST="10.0.0.1"
    ),
    "a setting without effect": accepted(
        "keywords has no effect: stream_groups has no keywords", TAP_PINTEREST_KEYWORDS="desk"
    ),
    "a misspelt setting of the loader": SetUp(
        ("default_target_shema: there is no such setting; did you mean default_target_schema?",),
        LOADER,
        edit=("default_target_schema", "default_target_shema"),
    ),
    "a setting of the loader that it does not get": accepted(
        "TARGET_POSTGRES_USE_COPY has no effect: the loader's config does not have use_copy",
        by=LOADER,
        TARGET_POSTGRES_USE_COPY="true",
    ),
    "a text for a number in YAML": SetUp(
        ("lookback_days: 'abc' is refused; allowed: integer",),
        edit=("start_date:", "lookback_days: abc\n      start_date:"),
    ),
    "the address of Ads Manager for an ad account": wrong(
        "ad_account_ids: 'https://ads.pinterest.com/advertiser/549755885175/' is refused; allowed:",
        AD_ACCOUNT_IDS="https://ads.pinterest.com/advertiser/549755885175/",
    ),
    "a start in the future": wrong("start_date: 2099-01-01 is refused", START_DATE="2099-01-01"),
    "spend for SPEND_IN_DOLLAR": wrong(
        "report_columns: SPEND is no column; did you mean SPEND_IN_DOLLAR or ",
        REPORT_COLUMNS="spend",
    ),
    "a misspelt rule of select": wrong(
        "No stream is selected, so nothing is read. A rule of select is misspelt",
        "meltano select tap-pinterest --list --all",
        _SELECT='["campaings.*"]',
    ),
    # Access
    "no credentials": SetUp(
        ("access_token: no credentials; allowed: ", "tap-pinterest-login"), variables={TOKEN: None}
    ),
    "no credentials and no database": SetUp(
        ("access_token: no credentials; allowed: ", "tap-pinterest-login"),
        variables={TOKEN: None, ADDRESS: "postgresql://plain:x@127.0.0.1:{closed}/postgres"},
        and_by=LOADER,
    ),
    "signed out": SetUp(("run tap-pinterest-login",), variables={TOKEN: None, **APP}),
    "a token file that is not there": SetUp(
        ("there is no token_file {folder}/tokens.json; run tap-pinterest-login",),
        variables={TOKEN: None, **APP, "TAP_PINTEREST_TOKEN_FILE": "{folder}/tokens.json"},
    ),
    "a token that has ended": SetUp(
        ("Pinterest refuses the access token", "tap-pinterest-login"), variables={TOKEN: "pina_old"}
    ),
    "a wrong ad account id": wrong(
        " of ad account 549755885175: ad_account_ids names it, and it cannot be read",
        "This token has {first_account} (",
        ", {second_account} (",
        AD_ACCOUNT_IDS="549755885175",
        STREAM_GROUPS="ads",
    ),
    "a missing scope": accepted(
        "Skipped boards: ",
        "the token lacks boards:read: sign in with tap-pinterest-login",
        TAP_PINTEREST__SELECT='["ad_accounts.*", "boards.*"]',
        TAP_PINTEREST_API_URL="{narrow}",
        **{TOKEN: "{narrow_token}"},
    ),
}
