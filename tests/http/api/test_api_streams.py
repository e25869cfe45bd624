"""What a streamed answer says about itself before its bytes: a server believes it, the test client does not."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("name", ["csv", "arrow", "json", "jsonl"])
def test_a_stream_does_not_announce_a_length(portal, client, publish_csv, name: str) -> None:
    _, resource_id = publish_csv(portal, "Dân số", "ma,ten\n01,Hà Nội\n02,Huế\n")
    with client.get(f"/api/v1/resources/{resource_id}/export.{name}") as answer:
        assert answer.status_code == 200
        assert "Content-Length" not in answer.headers
        assert "Hà Nội".encode() in answer.data
