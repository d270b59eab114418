from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
import requests

from pinterest_sandbox import Sandbox, WorldSize, api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TODAY = date(2026, 11, 20)
ALL_STATUSES = ["ACTIVE", "PAUSED", "ARCHIVED", "DRAFT", "DELETED_DRAFT"]


class Client:
    """Asks a sandbox as a tap does."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Starts with the sandbox's own access token."""
        self.sandbox = sandbox
        self.token = sandbox.credentials["access_token"]
        self._session = requests.Session()

    def ask(self, path: str, **query: Any) -> requests.Response:
        """The raw answer."""
        headers = {"Authorization": f"Bearer {self.token}"}
        url = self.sandbox.url + path
        return self._session.get(url, params=query, headers=headers, timeout=30)

    def get(self, path: str, **query: Any) -> Any:
        """The body of an answer that must be 200."""
        response = self.ask(path, **query)
        assert response.status_code == 200, response.text
        return response.json()

    def refused(self, path: str, **query: Any) -> tuple[int, int, str]:
        """Status, code and message of an answer that must not."""
        response = self.ask(path, **query)
        body = response.json()
        assert {"code", "message"} <= set(body) <= {"code", "message", "status"}
        return response.status_code, body["code"], body["message"]

    def post(self, path: str, body: Any, **how: Any) -> requests.Response:
        """The raw answer to a body of JSON."""
        headers = {"Authorization": f"Bearer {self.token}"}
        url = self.sandbox.url + path
        return self._session.post(url, json=body, headers=headers, timeout=30, **how)

    def order(self, path: str, **body: Any) -> str:
        """The token of a report, which must be accepted."""
        response = self.post(path, body)
        assert response.status_code == 201, response.text
        token: str = response.json()["token"]
        return token

    def poll(self, path: str, token: str) -> dict[str, Any]:
        """How a report is once it is no longer in progress."""
        for _ in range(9):
            answer: dict[str, Any] = self.get(path, token=token)
            if answer["report_status"] != "IN_PROGRESS":
                return answer
        pytest.fail("The report never ends.")

    def download(self, url: str, **how: Any) -> requests.Response:
        """The file behind a link, asked for without a token."""
        return requests.get(url, timeout=30, **how)

    def report(self, path: str, **body: Any) -> Any:
        """The content of a report in JSON."""
        answer = self.poll(path, self.order(path, **body))
        assert answer["report_status"] == "FINISHED"
        return self.download(answer["url"]).json()

    def pages(self, path: str, **query: Any) -> Iterator[list[dict[str, Any]]]:
        """The pages of a list, by following bookmarks."""
        bookmark: dict[str, str] = {}
        while True:
            page = self.get(path, **query, **bookmark)
            yield page["items"]
            if not page["bookmark"]:
                return
            bookmark = {"bookmark": page["bookmark"]}

    def answers(self, key: str, values: dict[str, Any]) -> Iterator[Any]:
        """The body of each page of an operation, as a tap would ask for it."""
        path = key.removeprefix("GET ").format_map(values)
        query = [
            pair
            for name, parameter in api.operation(key).parameters.items()
            if parameter.place == "query" and values.get(name) is not None
            for pair in _pairs(name, values[name], explode=parameter.explode)
        ]
        bookmark: list[tuple[str, str]] = []
        while True:
            body = self.get(f"{path}?{urlencode([*query, *bookmark])}")
            yield body
            if not isinstance(body, dict) or not body.get("bookmark"):
                return
            bookmark = [("bookmark", body["bookmark"])]

    def everything(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """The records of all pages."""
        return [item for page in self.pages(path, page_size=250, **query) for item in page]

    def post_form(self, form: dict[str, str], **how: Any) -> requests.Response:
        """Posts to the token endpoint, as the client unless told otherwise."""
        credentials = self.sandbox.credentials
        how.setdefault("auth", (credentials["client_id"], credentials["client_secret"]))
        return self._session.post(self.sandbox.url + "/oauth/token", data=form, timeout=30, **how)

    def close(self) -> None:
        """Ends the connections."""
        self._session.close()


def _pairs(name: str, value: Any, *, explode: bool) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for member, inner in value.items():
            yield from _pairs(f"{name}[{member}]", inner, explode=explode)
    elif isinstance(value, list) and explode:
        yield from ((name, text) for text in value)
    elif isinstance(value, list):
        yield name, ",".join(value)
    else:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)


@pytest.fixture
def serve() -> Iterator[Callable[..., Client]]:
    """Starts sandboxes that end with the test."""
    clients: list[Client] = []

    def start(**knobs: Any) -> Client:
        knobs.setdefault("today", TODAY)
        knobs.setdefault("access_tier", "unlimited")
        sandbox = Sandbox(**knobs)
        sandbox.__enter__()
        clients.append(Client(sandbox))
        return clients[-1]

    yield start
    for client in clients:
        client.close()
        client.sandbox.__exit__(None, None, None)


@pytest.fixture(scope="module")
def connect() -> Iterator[Callable[[Sandbox], Client]]:
    """Clients of sandboxes that a module serves itself."""
    clients: list[Client] = []

    def start(sandbox: Sandbox) -> Client:
        clients.append(Client(sandbox))
        return clients[-1]

    yield start
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def models() -> Any:
    """The models of the published client. Their import takes seconds: not while pytest collects."""
    return pytest.importorskip("pinterestsdk.models")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A small world that the tests of a module share and do not change."""
    size = WorldSize(campaigns=8, ad_groups=20, ads=60, boards=9, pins=80)
    with Sandbox(seed=7, today=TODAY, size=size, access_tier="unlimited") as sandbox:
        client = Client(sandbox)
        yield client
        client.close()


@pytest.fixture(scope="module")
def account(client: Client) -> str:
    """The path of the world's first ad account."""
    return f"/ad_accounts/{client.sandbox.world.ad_accounts[0].id}"
