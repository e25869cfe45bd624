"""Forms that carry a file: the text fields come first, then the bytes, straight into the store.

The form token is checked as soon as the fields before the file are read, so that no byte of a foreign
form's file is taken. A form refused for its text is read to its end before the answer: browsers show a
broken connection, not a page, when an answer overtakes what they are sending.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import request

from opendata.http.context import page_actor, services
from opendata.http.uploads import NoFileError, open_upload
from opendata.kernel.errors import PortalError
from opendata.resources.service import Upload
from opendata.web.form_tokens import FIELD, check_token
from opendata.web.publishing_pages import to_progress, workbench_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from opendata.http.uploads import IncomingFile

CHUNK: Final = 1 << 20


class FormWithFile:
    """A form whose fields are known and whose file is still on its way."""

    def __init__(self, incoming: IncomingFile) -> None:
        self._incoming = incoming
        self.fields: Mapping[str, str] = incoming.fields

    def pass_over(self) -> None:
        """Read the file to its end and keep nothing."""
        while self._incoming.read(CHUNK):
            pass

    def into_dataset(self, slug: str) -> Response:
        """Take the file into the dataset and lead to its progress; a refused file is said on the workbench."""
        try:
            received = services().resources.add_resource(page_actor(), slug, self._upload())
        except PortalError as error:
            return workbench_page(slug, error, self.fields)
        return to_progress(received.dataset_slug, received.resource_id)

    def into_resource(self, slug: str, resource_id: str) -> Response:
        """Take the file as a new version."""
        try:
            received = services().resources.replace_file(page_actor(), resource_id, self._upload())
        except PortalError as error:
            return workbench_page(slug, error)
        return to_progress(received.dataset_slug, received.resource_id)

    def _upload(self) -> Upload:
        titles = {
            tongue: value for tongue in ("vi", "en") if (value := self.fields.get(f"file_title.{tongue}", ""))
        }
        schema: dict[str, list[str]] | None = {"fields": []} if self.fields.get("without_schema") else None
        return Upload(self._incoming, self._incoming.filename, title=titles or None, table_schema=schema)


def take_upload() -> FormWithFile:
    """Raises ForeignFormError, TooLargeError, NoFileError with what was typed beside the missing file."""
    try:
        incoming = open_upload(request, limit=services().settings.upload_limit_mb << 20)
    except NoFileError as error:
        check_token(error.fields.get(FIELD, ""))
        raise
    check_token(incoming.fields.get(FIELD, ""))
    return FormWithFile(incoming)
