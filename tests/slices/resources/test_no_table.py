"""A file without a table says why, in the words of the page."""

from __future__ import annotations


def test_rows_of_a_pdf_say_why_there_are_none(portal, client, publish_file) -> None:
    _, resource_id = publish_file(
        portal, "Công báo", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "cong-bao.pdf"
    )
    answer = client.get(f"/api/v1/resources/{resource_id}/rows", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.json["code"]) == (404, "no-table")
    assert "PDF" in answer.json["detail"]
