"""What a streamed answer says about itself before its bytes: a server believes it, the test client does not."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize("name", ["csv", "arrow", "json", "jsonl"])
def test_a_stream_does_not_announce_a_length(library: Any, name: str) -> None:
    address = f"/api/v1/resources/{library.resource_id}/export.{name}"
    assert "Content-Length" not in library.client.head(address).headers
    with library.client.get(address) as answer:
        assert answer.status_code == 200
        assert "Content-Length" not in answer.headers
        assert "Hà Nội".encode() in answer.data
