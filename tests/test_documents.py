"""Everything that the documents show is run, or held against the code."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import json
import os
import re
import shlex
import subprocess
import tomllib
from collections import defaultdict
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from meltano.cli import utils as meltano_cli
from meltano.core.block import extract_load
from meltano.core.plugin.singer import tap as meltano_tap
from meltano.core.schedule import is_valid_cron
from psycopg import sql
from ruamel.yaml import YAML

import forked_programs
from chromium import chromium
from documents import PAGES, all_blocks, blocks, code_in, folder_of, prose, table_rows, text_of
from loading import database
from pinterest_fleet import observations
from pinterest_fleet.connections import Connection
from pinterest_fleet.observations import Family
from pinterest_sandbox import Sandbox, WorldSize
from scripts import stream_pages
from scripts.main_job import MainJob
from scripts.processes import ROOT, command, running
from tap_pinterest.api.periods import GRANULARITIES, DateRange
from tap_pinterest.config import CONFIG_SCHEMA, Settings, custom_reports, problems
from tap_pinterest.singer.state import Progress, ReportRange
from tap_pinterest.streams import STREAM_TYPES
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk import Stream

    from documents import Block

TODAY = date(2026, 11, 20)
WORLD = WorldSize(accounts=2, campaigns=3, ad_groups=4, ads=8, boards=3, pins=10)
CREDENTIALS = ("client_id", "client_secret", "refresh_token")
HANDLED = {"sh", "sql", "yaml", "json", "ini", "python", "text", "mermaid"}
BASH = ("bash", "-euo", "pipefail", "-c")
PATIENCE_SECONDS = 120
INSTALLED = str(Path(command("meltano")).parent)

_yaml = YAML(typ="safe")


class Reader:
    """Somebody who does what the pages say, page by page, in a folder of their own."""

    def __init__(self, root: Path, sandbox: Sandbox, database_url: str) -> None:
        """Give them an account at Pinterest and a database."""
        self._root = root
        self.database_url = database_url
        self._done: set[str] = set()
        self._elsewhere = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MELTANO_", "TAP_PINTEREST_", "TARGET_POSTGRES_"))
        }
        self._environment = {
            **self._elsewhere,
            **{f"TAP_PINTEREST_{name.upper()}": sandbox.credentials[name] for name in CREDENTIALS},
            "TAP_PINTEREST_API_URL": sandbox.url,
            "PINTEREST_ACCESS_TOKEN": sandbox.credentials["access_token"],
            "POSTGRES_URL": database_url,
            "TARGET_POSTGRES_SQLALCHEMY_URL": database_url,
            "XDG_STATE_HOME": str(root / "state"),
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "NO_COLOR": "1",
            "PATH": os.pathsep.join((str(forked_programs.folder()), INSTALLED, os.environ["PATH"])),
        }

    def folder(self, page: str) -> Path:
        """Where a page is followed."""
        return self._root / page.replace("/", "-").removesuffix(".md")

    def follow(self, page: str) -> None:
        """Write the files and run the commands of a page, once."""
        if page in self._done:
            return
        self._done.add(page)
        folder = folder_of(self.folder(page))
        (folder / ".venv").symlink_to(Path(command("meltano")).parent.parent)
        with ExitStack() as stack:
            for block in blocks(page):
                if name := block.option("file"):
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (folder / name).write_text(self._at_home(block.text), encoding="utf-8")
                elif block.language == "sh" and "background" in block.words:
                    process = stack.enter_context(
                        running(*BASH, block.text, cwd=folder, stdout=subprocess.PIPE)
                    )
                    assert process.stdout
                    assert process.stdout.readline()
                elif block.language == "sh" and "parsed" not in block.words:
                    self._run(block, folder / (block.option("in") or ""))

    def output(self, page: str, *command: str) -> str:
        """The output of a command in the folder of a page."""
        done = subprocess.run(
            command,
            cwd=self.folder(page),
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
        return done.stdout

    def _at_home(self, text: str) -> str:
        """A file as the reader has it: with the address of the sandbox where there is no other."""
        url = self._environment["TAP_PINTEREST_API_URL"]
        token = "      access_token: $PINTEREST_ACCESS_TOKEN\n"
        return text.replace(token, f"{token}      api_url: {url}\n")

    def _run(self, block: Block, folder: Path) -> None:
        done = subprocess.run(
            [*BASH, block.text],
            cwd=folder,
            env=self._elsewhere if "alone" in block.words else self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with Sandbox(seed=7, today=TODAY, size=WORLD) as sandbox, database() as (url, _schema):
        # As the documents write it, without the name of a driver.
        address = url.replace("+psycopg", "")
        yield Reader(tmp_path_factory.mktemp("reader"), sandbox, address)


@pytest.fixture(scope="module")
def loaded(reader: Reader) -> Iterator[psycopg.Connection]:
    """The database of a reader who has followed the quick start."""
    reader.follow("docs/quickstart.md")
    url = reader.database_url
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_runs(page: str, reader: Reader) -> None:
    reader.follow(page)


@pytest.mark.parametrize(
    "block",
    [each for each in all_blocks("sql") if not {"parsed", "empty", "models"} & {*each.words}],
    ids=str,
)
def test_every_query_runs_on_what_the_quick_start_has_loaded(
    block: Block, loaded: psycopg.Connection
) -> None:
    loaded.execute(block.text.encode())


@pytest.mark.parametrize("block", all_blocks("sql", "empty"), ids=str)
def test_every_query_of_another_stream_runs_on_its_columns(
    block: Block, loaded: psycopg.Connection
) -> None:
    types = {"number": "numeric", "integer": "bigint"}
    with loaded.transaction(force_rollback=True):
        for name in {*re.findall(r"pinterest\.(\w+)", block.text)} & {*all_streams()}:
            columns = [
                sql.SQL("{} {}").format(
                    sql.Identifier(column), sql.SQL(types.get(schema["type"][0], "text"))
                )
                for column, schema in all_streams()[name].schema["properties"].items()
            ]
            loaded.execute(
                sql.SQL("CREATE TABLE {} ({})").format(
                    sql.Identifier("pinterest", name), sql.SQL(", ").join(columns)
                )
            )
        loaded.execute(block.text.encode())


def test_a_query_that_finds_what_is_wrong_finds_nothing(loaded: psycopg.Connection) -> None:
    texts = [block.text for block in all_blocks("sql", "none")]
    assert texts
    for text in texts:
        assert loaded.execute(text.encode()).fetchall() == []


def test_a_query_that_finds_what_is_wrong_finds_it(loaded: psycopg.Connection) -> None:
    with loaded.transaction(force_rollback=True):
        loaded.execute("UPDATE pinterest.ad_analytics SET impression_1 = impression_1 + 1")
        loaded.execute("UPDATE pinterest.campaigns SET __sync_key = 'another'")
        for block in all_blocks("sql", "none"):
            assert loaded.execute(block.text.encode()).fetchall(), block


def test_what_the_quick_start_has_loaded_is_what_pinterest_has(
    reader: Reader, loaded: psycopg.Connection
) -> None:
    assert loaded
    report = reader.output("docs/quickstart.md", "tap-pinterest-reconcile", "--config", "ENV")
    assert report.splitlines()[-1] == "All that can be compared is equal."


def test_an_alert_is_silent_about_fresh_tables_and_speaks_about_others(
    loaded: psycopg.Connection,
) -> None:
    (block,) = all_blocks("sql", "alerts")

    def alerts() -> list[str]:
        return [alert for (alert,) in loaded.execute(block.text.encode()).fetchall()]

    with loaded.transaction(force_rollback=True):
        for table in ("metrics_ready_state", "ad_account_analytics"):
            name = sql.Identifier("pinterest", table)
            move = "UPDATE {} SET date = date + 10000; UPDATE {} SET date = date + %s"
            ((last,),) = loaded.execute(sql.SQL("SELECT max(date) FROM {}").format(name)).fetchall()
            days = sql.Literal((datetime.now(tz=UTC).date() - last).days - 10_001)
            loaded.execute(
                sql.SQL(move.replace("%s", "{}")).format(name, name, days)  # no key twice meanwhile
            )
        assert alerts() == []
        loaded.execute("""
            UPDATE pinterest.ad_account_analytics SET spend_in_dollar = 1000000
             WHERE date = (SELECT max(date) FROM pinterest.ad_account_analytics)
               AND spend_in_dollar > 0
        """)
        assert "1000000.00" in alerts()[0]
        loaded.execute("""
            UPDATE pinterest.sync_log SET failed = true, reason = 'no role'
             WHERE stream = 'campaigns' AND run_id = (SELECT max(run_id) FROM pinterest.sync_log)
        """)
        assert re.fullmatch(r"The last run has no campaigns of \d+: no role", alerts()[-1])
        loaded.execute("UPDATE pinterest.sync_log SET run_started_at = '2026-01-31 06:00'")
        assert alerts()[-1] == "No run since 2026-01-31 06:00:00"
    lines = alerts()
    assert lines[0].startswith("The newest complete day is 20")
    assert " has no row since 20" in lines[1]


def test_reach_does_not_add_up_as_the_documents_say(loaded: psycopg.Connection) -> None:
    query = """
        SELECT (SELECT sum(total_impression_user) FROM pinterest.ad_account_analytics),
               (SELECT sum(total_impression_user) FROM pinterest.ad_analytics)
    """
    of_accounts, of_ads = loaded.execute(query).fetchall()[0]
    assert of_accounts < of_ads


def test_a_run_for_each_client_has_a_schema_for_each(reader: Reader) -> None:
    reader.follow("docs/running.md")
    with psycopg.connect(reader.database_url) as connection:
        query = "SELECT schemaname FROM pg_tables WHERE tablename = 'campaign_analytics'"
        schemas = {name for (name,) in connection.execute(query).fetchall()}
    assert {"pinterest", "pinterest_acme", "pinterest_globex"} <= schemas


def test_a_table_taken_out_of_the_state_is_no_longer_in_it(reader: Reader) -> None:
    reader.follow("docs/running.md")
    shown = reader.output("docs/running.md", "tap-pinterest-state", "show").splitlines()
    assert "ad_analytics" in shown
    assert "campaign_analytics" not in shown


def test_every_block_is_of_a_language_that_is_looked_at() -> None:
    found = {block.language for page in PAGES for block in blocks(page)}
    assert found <= HANDLED


@pytest.mark.parametrize("block", all_blocks("sh"), ids=str)
def test_every_command_line_is_valid(block: Block) -> None:
    done = subprocess.run(
        ["bash", "-n"], input=block.text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("block", all_blocks("sh", "parsed"), ids=str)
def test_a_command_that_no_test_runs_names_existing_things(block: Block) -> None:
    known = {"tap-pinterest", *loaders(), *mappings(), *utilities()}
    for words in command_lines(block.text):
        if words[:2] == ["meltano", "run"]:
            assert {each for each in words[2:] if each.isidentifier() or "-" in each} <= known
        if words[:3] == ["pip", "install", "-r"]:
            assert (ROOT / words[3]).is_file()
        elif words[:2] == ["pip", "install"]:
            folders = {each for each in words[2:] if each.startswith(".")}
            for each in folders:
                folder, _, extra = each.rstrip("]").partition("[")
                project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text("utf-8"))
                assert extra in {"", *project["project"].get("optional-dependencies", ())}
            names = {re.split(r"[\[><=~]", each)[0] for each in {*words[2:]} - folders}
            assert names <= distributions()
        if words[0] == "make":
            assert (ROOT / "Makefile").read_text().count(f"\n{words[1]}:") == 1


OWN_COMMANDS = (
    *("tap-pinterest", "tap-pinterest-login", "tap-pinterest-plan", "tap-pinterest-reconcile"),
    "tap-pinterest-report",
    *("map-pinterest", "pinterest-sandbox"),
)


@pytest.mark.parametrize("name", OWN_COMMANDS)
def test_every_option_of_a_command_is_one_that_it_has(name: str) -> None:
    before = r"(?<![\w-])(?<!select )(?<!-login )"
    shown = {
        option
        for page in PAGES
        for line in re.findall(rf"{before}{name} (--[^`\n|]*)", text_of(page))
        for option in re.findall(r"(?<=--)[a-z-]+", line.split(" -- ")[0])
    }
    usage = subprocess.run([command(name), "--help"], capture_output=True, text=True, check=True)
    assert shown <= set(re.findall(r"(?<=--)[a-z-]+", usage.stdout))


def command_lines(text: str) -> Iterator[list[str]]:
    for line in text.replace("\\\n", " ").splitlines():
        if words := shlex.split(line, comments=True):
            yield words[: words.index("||")] if "||" in words else words


@functools.cache
def plugins() -> Mapping[str, list[Mapping[str, Any]]]:
    """The plugins of `meltano.yml` by kind. To read the file takes as long as a hundred tests."""
    found: Mapping[str, list[Mapping[str, Any]]] = _yaml.load(ROOT / "meltano.yml")["plugins"]
    return found


def loaders() -> set[str]:
    return {each["name"] for each in plugins()["loaders"]}


def mappings() -> set[str]:
    (plugin,) = plugins()["mappers"]
    return {mapping["name"] for mapping in plugin["mappings"]}


def utilities() -> set[str]:
    return {f"{each['name']}:{one}" for each in plugins()["utilities"] for one in each["commands"]}


def distributions() -> set[str]:
    return set(re.findall(r'^  "([\w-]+)', text_of("pyproject.toml"), re.MULTILINE))


@pytest.mark.parametrize("block", all_blocks("yaml", "settings"), ids=str)
def test_every_piece_of_a_config_is_accepted(block: Block) -> None:
    # Meltano gives the tap a date of YAML as a text.
    shown = json.loads(json.dumps(_yaml.load(block.text), default=str))
    config = shown if "oauth_credentials" in shown else {**shown, "access_token": "pina"}
    assert problems(config) == []
    assert Settings.from_config(config)
    assert TapPinterest(config=config).streams


def test_every_schedule_is_one_that_meltano_lists(tmp_path: Path) -> None:
    shown: list[dict[str, Any]] = []
    for block in all_blocks("yaml", "meltano"):
        shown += _yaml.load(block.text)["schedules"]
    document = _yaml.load(ROOT / "meltano.yml")
    document["schedules"] += shown
    with (tmp_path / "meltano.yml").open("w", encoding="utf-8") as file:
        YAML().dump(document, file)
    programs = forked_programs.folder()
    project = MainJob(tmp_path, {}, log=tmp_path / "log", project=tmp_path, programs=programs)
    listed = json.loads(project.meltano("schedule", "list", "--format=json"))
    names = {each["name"] for each in listed["schedules"]["job"]}
    assert shown
    assert names == {each["name"] for each in document["schedules"]}


@pytest.mark.parametrize("block", all_blocks("text", "crontab"), ids=str)
def test_every_line_of_a_crontab_is_valid(block: Block) -> None:
    lines = [line for line in block.text.splitlines() if not line.startswith("#")]
    assert lines
    for line in lines:
        *when, what = line.split(maxsplit=5)
        assert is_valid_cron(" ".join(when))
        subprocess.run(["bash", "-n"], input=what, text=True, check=True)


@pytest.mark.parametrize("block", all_blocks("yaml", "workflow"), ids=str)
def test_every_workflow_is_as_github_wants_it(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "workflow.yml"
    file.write_text(block.text, encoding="utf-8")
    subprocess.run(
        [command("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", str(file)],
        check=True,
        capture_output=True,
    )
    (job,) = _yaml.load(block.text)["jobs"].values()
    settings = {name for name in job["env"] if name.startswith("TAP_PINTEREST_")}
    assert settings <= {f"TAP_PINTEREST_{name.upper()}" for name in CONFIG_SCHEMA["properties"]}
    for step in job["steps"]:
        subprocess.run(["bash", "-n"], input=step.get("run", ""), text=True, check=True)


def test_what_the_workflow_encrypts_it_decrypts(tmp_path: Path) -> None:
    (block,) = all_blocks("yaml", "workflow")
    (job,) = _yaml.load(block.text)["jobs"].values()
    decrypt, encrypt = (step["run"] for step in job["steps"] if "openssl" in step.get("run", ""))
    tokens = tmp_path / "tokens.json"
    tokens.write_text("the tokens", encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "TAP_PINTEREST_CLIENT_SECRET": "secret"}
    subprocess.run(["bash", "-ec", encrypt], cwd=tmp_path, env=environment, check=True)
    tokens.unlink()
    subprocess.run(["bash", "-ec", decrypt], cwd=tmp_path, env=environment, check=True)
    assert tokens.read_text(encoding="utf-8") == "the tokens"
    assert b"the tokens" not in (tmp_path / "tokens.enc").read_bytes()


@pytest.mark.parametrize("block", all_blocks("yaml", "loader"), ids=str)
def test_every_loader_is_one_that_the_repository_has(block: Block) -> None:
    for loader in _yaml.load(block.text)["loaders"]:
        assert Path(command(loader["executable"])).exists()


@pytest.mark.parametrize("block", all_blocks("yaml"), ids=str)
def test_every_yaml_can_be_read(block: Block) -> None:
    assert _yaml.load(block.text)


@pytest.mark.parametrize("block", all_blocks("json"), ids=str)
def test_every_json_can_be_read(block: Block) -> None:
    shown = json.loads(block.text)
    if "context" in shown:
        assert Progress.of(shown).bookmark
    elif "target" in block.words:
        assert {*shown} <= settings_of("loaders")
    else:
        assert problems(shown, credentials=False) == []


@pytest.mark.parametrize("block", all_blocks("python"), ids=str)
def test_every_program_can_be_read(block: Block) -> None:
    compile(block.text, str(block), "exec")


@pytest.mark.parametrize("block", all_blocks("ini"), ids=str)
def test_every_variable_of_an_env_file_is_a_setting(block: Block) -> None:
    names = re.findall(r"^([A-Z_]+)=", block.text, re.MULTILINE)
    known = {f"TAP_PINTEREST_{name.upper()}" for name in settings_of("extractors")}
    known |= {f"TARGET_POSTGRES_{name.upper()}" for name in settings_of("loaders")}
    assert names
    assert {*names} <= known


def settings_of(kind: str) -> set[str]:
    return {setting["name"] for each in plugins()[kind] for setting in each.get("settings", ())}


def test_the_drawn_timeline_is_what_two_runs_read() -> None:
    (block,) = (b for b in all_blocks("mermaid") if b.text.startswith("gantt"))
    drawn: dict[str, set[date]] = defaultdict(set)
    bookmarks: dict[str, date] = {}
    run = ""
    for line in block.text.splitlines():
        if found := re.fullmatch(r" *section Run of (.+)", line):
            run = found[1]
        elif found := re.fullmatch(r".*: milestone, (\S+), 0d", line):
            bookmarks[run] = date.fromisoformat(found[1])
        elif found := re.fullmatch(r".*:(?: \w+,)? (\S+), (\S+)", line):
            start, end = map(date.fromisoformat, found.groups())
            drawn[run] |= {start + timedelta(days) for days in range((end - start).days)}
    progress = Progress()
    for today, name in ((date(2026, 11, 20), "20 November"), (date(2026, 11, 21), "21 November")):
        earliest = today - timedelta(90)
        wanted = ReportRange(
            wanted=DateRange(earliest, today - timedelta(1)),
            earliest=earliest,
            lookback_days=Settings.from_config({"access_token": "-"}).attribution_lookback,
            complete_to=today - timedelta(2),
        )
        read = {
            dates.start + timedelta(days)
            for dates in wanted.to_read(progress, "same")
            for days in range(dates.days)
        }
        progress = wanted.after(progress, "same")
        assert drawn[name] == read
        assert bookmarks[name] == progress.bookmark


RELATION = re.compile(r'^ +(\w+) (\|[|o]--o\{) (\w+) : "(\w+) = (\w+)"$', re.MULTILINE)


def relations() -> list[tuple[str, str, str, str, str]]:
    diagrams = [b.text for b in all_blocks("mermaid") if b.text.startswith("erDiagram")]
    found = [relation for text in diagrams for relation in RELATION.findall(text)]
    assert len(found) == sum(len(text.splitlines()) - 1 for text in diagrams)
    return found


def test_every_drawn_join_is_between_columns_that_there_are() -> None:
    streams = all_streams()
    assert relations()
    for left, _kind, right, mine, theirs in relations():
        assert mine in streams[left].schema["properties"]
        assert theirs in streams[right].schema["properties"]
        if mine != "date":
            assert streams[left].schema["properties"][mine] == {"type": ["string"]}


def test_a_join_with_a_solid_line_finds_a_partner_for_every_row(loaded: psycopg.Connection) -> None:
    tables = {name for (name,) in loaded.execute("SELECT tablename FROM pg_tables").fetchall()}
    looked_at = 0
    for left, kind, right, mine, theirs in relations():
        if kind.startswith("||") and {left, right} <= tables:
            looked_at += 1
            query = sql.SQL(
                "SELECT count(*) FROM {} AS r"
                " WHERE NOT EXISTS (SELECT 1 FROM {} AS l WHERE l.{} = r.{})"
            ).format(
                sql.Identifier("pinterest", right),
                sql.Identifier("pinterest", left),
                sql.Identifier(mine),
                sql.Identifier(theirs),
            )
            assert loaded.execute(query).fetchone() == (0,), (left, right)
    assert looked_at


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation as a website; a broken link fails it."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [command("sphinx-build"), "-q", "-W", "--keep-going", str(ROOT / "docs"), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def test_the_site_has_every_page_and_one_for_each_stream(site: Path) -> None:
    pages = {Path(page).stem for page in PAGES if page.startswith("docs/")} - {"README"}
    assert pages <= {page.stem for page in site.glob("*.html")}
    assert {page.stem for page in (site / "stream").glob("*.html")} > set(stream_pages.streams())


def test_the_site_needs_no_network(site: Path) -> None:
    for page in (*site.glob("*.html"), site / "stream" / "ad_analytics.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r'(?:src="|<link[^>]*href=")([^"]+)', text)
        assert loaded
        assert [each for each in loaded if "//" in each] == []
        files = [re.split("[?#]", each)[0] for each in loaded]
        assert [each for each in files if not (page.parent / each).exists()] == []


def test_a_browser_shows_the_site_on_a_phone_and_in_the_dark(site: Path, tmp_path: Path) -> None:
    colours = set()
    with chromium() as browser:
        for width, dark in ((390, False), (390, True), (1280, False), (1280, True)):
            browser.look_as(width=width, height=844, dark=dark)
            for name in ("index", "tables", "streams"):
                browser.open((site / f"{name}.html").as_uri())
                picture = tmp_path / f"{name}-{width}-{dark}.png"
                browser.screenshot(picture)
                assert picture.read_bytes().startswith(b"\x89PNG")
                assert browser.complaints == []
                outside = [
                    url for url in browser.requested if not url.startswith(("file:", "data:"))
                ]
                assert outside == []
                assert browser.evaluate("document.documentElement.scrollWidth") == width
                if name == "streams":
                    # Side by side on a desktop, below each other on a phone.
                    cell = "document.querySelector('table.cards td')"
                    shown = browser.evaluate(f"getComputedStyle({cell}).display")
                    assert shown == ("block" if width == 390 else "table-cell")
            body = "getComputedStyle(document.body).backgroundColor"
            colours.add((dark, browser.evaluate(body)))
    assert len({dark for dark, _ in colours}) == len(colours) == 2
    assert len({colour for _, colour in colours}) == 2


@functools.cache
def texts_in_code() -> tuple[str, ...]:
    """All literals of the tap, and of what else has messages: what is put in later is a NUL."""
    meltanos = (
        inspect.getsourcefile(module) for module in (extract_load, meltano_cli, meltano_tap)
    )
    files = (*(ROOT / "tap_pinterest").rglob("*.py"), *map(Path, filter(None, meltanos)))
    found: list[str] = []
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = (v.value if isinstance(v, ast.Constant) else "\0" for v in node.values)
                found.append("".join(map(str, parts)))
    return tuple(found)


def messages() -> list[str]:
    return [row["message"].strip("`") for row in table_rows(text_of("docs/troubleshooting.md"))]


@pytest.mark.parametrize("message", messages())
def test_every_message_that_is_explained_is_one_that_can_come(message: str) -> None:
    # The code joins a place and its fault with a colon.
    parts = [part.strip(" :") for part in message.split("…") if re.search(r"\w{3}", part)]
    assert parts
    for part in parts:
        assert any(part in text for text in texts_in_code()), part


LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", PAGES)
def test_every_link_on_github_leads_somewhere(page: str) -> None:
    for target in LINK.findall(text_of(page)):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        file = (ROOT / page).parent / name if name else ROOT / page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), target


def anchors(text: str) -> set[str]:
    """The names that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@functools.cache
def all_streams() -> Mapping[str, Stream]:
    config = {
        "stream_groups": ["all"],
        "report_columns": "all",
        "granularities": list(GRANULARITIES),
        "removed_items": True,
    }
    return TapPinterest(config=config, validate_config=False).streams


def rows_of_movers() -> list[Mapping[str, str]]:
    return list(table_rows(text_of("docs/moving.md")))


def test_everything_that_the_moving_page_promises_exists() -> None:
    names = [name for row in rows_of_movers() for name in code_in(row["here"])]
    commands = {"meltano select"}
    assert len(names) > 100
    assert {name.split(": ")[0] for name in names} - known_names() - commands == set()


@pytest.mark.parametrize("row", rows_of_movers(), ids=lambda row: next(iter(row.values()))[:30])
def test_the_moving_page_names_the_streams_keys(row: Mapping[str, str]) -> None:
    streams = [all_streams()[name] for name in code_in(row["here"]) if name in all_streams()]
    cell = next((text for heading, text in row.items() if heading.startswith("key here")), "")
    key = code_in(re.split("[:;]", cell)[0])
    if cell.startswith("the same") and row["key there"].startswith("`"):
        key = [name.lower() for name in code_in(row["key there"])]
    if key and (len(streams) == 1 or cell.startswith("the same")):
        for stream in streams:
            assert key == list(stream.primary_keys)


NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
TARGET_COLUMNS = {"_sdc_extracted_at", "_sdc_batched_at"}
NAMES_OF_OTHERS = {
    # Fields and parameters of Pinterest's, and of Daasity's documents.
    *("ad_agroup_id", "account_id", "refresh_token_expires_at"),
    # Of the file of facts about columns.
    "adds_up",
    # What columns have in common.
    *("in_micro_dollar", "in_micro_currency"),
    # Singer's and Meltano's.
    *("default_target_schema", "state_backend", "singer_state", "default_environment"),
    # Schemas and tables of the models, Fivetran's packages, and columns of exchange rates.
    *("pinterest_models", "pinterest_ads", "vendor_performance", "pinterest_ads__campaign_report"),
    *("dbt_pinterest", "dbt_ad_reporting", "from_currency", "to_currency"),
}


@functools.cache
def known_names() -> set[str]:
    """Streams, columns, settings with their members, and their values."""
    names = {*CONFIG_SCHEMA["properties"], "__sync_key"}
    daasity = TapPinterest(config={"layout": "daasity"}, validate_config=False).streams
    names |= {name for each in STREAM_TYPES for name in each.possible_names()}
    for stream in (*all_streams().values(), *daasity.values()):
        names |= {stream.name, *stream.schema["properties"]}
    for schema in CONFIG_SCHEMA["properties"].values():
        names |= {value for value in schema.get("enum", ()) if isinstance(value, str)}
        names |= {*schema.get("properties", ())}
    for kind in plugins().values():
        for plugin in kind:
            names |= {setting["name"] for setting in plugin.get("settings", ())}
    names |= {*custom_reports.KEYS, "custom_event_metrics_type", "custom_event_name"}
    names |= {"stream_maps", "stream_map_config", "flattening_enabled", "flattening_max_depth"}
    return names | names_of_models() | names_of_fleet()


def names_of_fleet() -> set[str]:
    """Metrics, the view and the DAGs of a fleet, and the members of its file."""
    families = [each for each in vars(observations).values() if isinstance(each, Family)]
    dags = (ROOT / "deploy/airflow/dags/pinterest.py").read_text(encoding="utf-8")
    return {
        *(each.name for each in families),
        *(field.name for field in dataclasses.fields(Connection)),
        *("env_file", observations.VIEW),
        *re.findall(r'dag_id="(\w+)"', dags),
    }


@functools.cache
def names_of_models() -> set[str]:
    """Models and snapshots, their columns, their tests, and the variables of the dbt project."""
    folder = ROOT / "transform"
    files = [*folder.rglob("*.sql"), folder / "texts.yml"]
    code = "".join(path.read_text(encoding="utf-8") for path in files)
    names = {*re.findall(r"var\('(\w+)'", code), *(path.stem for path in folder.rglob("*.sql"))}
    for path in [*(folder / "models").rglob("*.yml"), *(folder / "snapshots").glob("*.yml")]:
        document = _yaml.load(path.read_text(encoding="utf-8"))
        for model in (*document.get("models", ()), *document.get("snapshots", ())):
            names |= {model["name"], *(each["name"] for each in model.get("columns", ()))}
    return names


@pytest.mark.parametrize("page", PAGES)
def test_every_name_in_a_text_is_one_that_there_is(page: str) -> None:
    shown = {name for name in code_in(prose(page)) if NAME.fullmatch(name)}
    assert shown - known_names() - NAMES_OF_OTHERS == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_with_a_value_in_a_text_is_accepted(page: str) -> None:
    shown = [text for text in code_in(prose(page)) if re.match(r"[a-z]+(_[a-z]+)*: ", text)]
    for text in shown:
        if text.startswith("pinterest_"):
            continue  # a variable of the dbt project
        assert problems(_yaml.load(text), credentials=False) == [], text
