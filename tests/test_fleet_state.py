"""The states of a fleet in a store that speaks S3: pip install 'meltano[s3]' 'moto[server]'."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts.fleet_world import fleet_world

if TYPE_CHECKING:
    from pathlib import Path

boto3 = pytest.importorskip("boto3")
moto_server = pytest.importorskip("moto.server")


def test_states_stay_in_a_store_that_speaks_s3(tmp_path: Path) -> None:
    store = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    store.start()
    try:
        host, port = store.get_host_and_port()
        keys = {"aws_access_key_id": "made-up-id", "aws_secret_access_key": "made-up-key"}
        s3 = boto3.client(
            "s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1", **keys
        )
        s3.create_bucket(Bucket="states")
        with fleet_world(tmp_path, 1) as world:
            world.write_variables(
                "client01",
                MELTANO_STATE_BACKEND_URI="s3://states/fleet",
                MELTANO_STATE_BACKEND_S3_ENDPOINT_URL=f"http://{host}:{port}",
                **{
                    f"MELTANO_STATE_BACKEND_S3_{name.upper()}": value
                    for name, value in keys.items()
                },
            )
            first = world.fleet("run", "client01")
            listed = s3.list_objects_v2(Bucket="states")["Contents"]
            calls = len(world.sandboxes["client01"].requests)
            second = world.fleet("run", "client01")

            assert first.returncode == second.returncode == 0, second.stdout
            assert any(":client01" in each["Key"] for each in listed)
            assert len(world.sandboxes["client01"].requests) < 2 * calls
            assert keys["aws_secret_access_key"] not in first.stdout + second.stdout
    finally:
        store.stop()
