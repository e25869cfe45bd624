"""Publishing and finding from the terminal: publish, search."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opendata.accounts.policy import COMMAND_LINE, VISITOR
from opendata.catalogue.search_form import FACETS, SORTS, read_form
from opendata.cli.language import speak
from opendata.cli.schema_files import SCHEMA_OPTION, read_schema
from opendata.job_wiring import build_job_runner
from opendata.kernel.errors import N_, NotFoundError
from opendata.resources.ingest.result import FaultyRows
from opendata.resources.meanings.personal_finding import PersonalFinding
from opendata.resources.models import VersionState
from opendata.resources.service import Upload
from opendata.settings import load_settings
from opendata.wiring import build_services

if TYPE_CHECKING:
    from opendata.resources.queries import VersionView
    from opendata.resources.service import Received
    from opendata.wiring import Services

HELD = N_(
    "Personal data was found; the version waits for a decision. Publish again with --personal-data-checked, or decide on its page."
)
WORKER_SECONDS = 2.0
POLL_SECONDS = 0.2


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--agency", required=True, help="Code of the publishing agency (see “opendata agency list”).")
@click.option("--title", required=True, help="Title of the dataset.")
@click.option("--description", default="", help="What the data is; Markdown.")
@click.option(
    "--dataset", "slug", help="Address of the dataset; an existing one gets a new version of the file."
)
@click.option("--theme", help="Theme code.")
@click.option("--license", "licence", help="Licence code.")
@click.option(
    "--faulty-rows",
    type=click.Choice([mode.value for mode in FaultyRows]),
    default=FaultyRows.REFUSE.value,
    show_default=True,
    help="What is done with rows that break the schema.",
)
@click.option(
    "--personal-data-checked",
    is_flag=True,
    help="Publish also where personal data is found: you answer for it.",
)
@SCHEMA_OPTION
def publish(
    file: Path,
    agency: str,
    title: str,
    description: str,
    slug: str | None,
    theme: str | None,
    licence: str | None,
    faulty_rows: str,
    personal_data_checked: bool,
    schema_path: Path | None,
) -> None:
    """Publish FILE through the full pipeline and print the dataset's address.

    \b
    Example:  opendata publish budget.xlsx --agency BTC --title "Dự toán ngân sách 2026"
    """
    services = build_services(load_settings())
    metadata = {"title": title, "description": description or title, "publisher": agency}
    metadata |= {name: value for name, value in (("theme", theme), ("license", licence)) if value}
    schema = read_schema(schema_path) if schema_path else None
    received = _hand_in(services, file, slug, metadata, schema)
    version = _follow(services, received)
    if faulty_rows != FaultyRows.REFUSE and version.has_faulty_rows:
        received = services.resources.read_again(COMMAND_LINE, received.resource_id, None, faulty_rows)
        version = _follow(services, received)
    if version.is_held and personal_data_checked:
        services.resources.release(COMMAND_LINE, received.resource_id, version.number)
        version = _follow(services, received)
    say = speak()
    if version.is_held:
        for finding in version.findings:
            click.echo(PersonalFinding.from_json(finding).problem().message(say.gettext), err=True)
        raise click.ClickException(say.gettext(HELD))
    for problem in version.problems:
        click.echo(problem.message(say.gettext), err=True)
    if version.state == VersionState.FAILED:
        raise click.ClickException(say.gettext(N_("The file was not published.")))
    if version.no_table is not None:
        click.echo(version.no_table.message(say.gettext), err=True)
    for table in services.resource_queries.tables_of_version(COMMAND_LINE, version.id):
        click.echo(f"  {table.title}: {say.number(table.row_count)} × {table.column_count}")
    click.echo(f"{services.settings.base_url}/{say.language}/datasets/{received.dataset_slug}")
    services.close()


@click.command()
@click.argument("query")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option("--theme", multiple=True)
@click.option("--publisher", multiple=True)
@click.option("--format", "format_", multiple=True)
@click.option("--license", "licence", multiple=True)
@click.option("--frequency", multiple=True)
@click.option("--place", multiple=True)
@click.option("--sort", type=click.Choice(SORTS))
@click.option("--page", default="1")
def search(query: str, as_json: bool, sort: str | None, page: str, **chosen: tuple[str, ...]) -> None:
    """Ask the index for public datasets; diacritics may be left out.

    \b
    Example:  opendata search "dan so" --theme xa-hoi
    """
    names = {"format_": "format", "licence": "license"}
    pairs = [("q", query), ("page", page)] + ([("sort", sort)] if sort else [])
    pairs += [(names.get(name, name), value) for name, values in chosen.items() for value in values]
    services = build_services(load_settings())
    say = speak()
    results = services.catalogue_search.search(
        VISITOR, read_form(pairs), say.language, FACETS if as_json else ()
    )
    if as_json:
        items = [
            {"slug": item.slug, "title": item.title, "publisher": item.publisher} for item in results.items
        ]
        click.echo(json.dumps({"total": results.total, "items": items}, ensure_ascii=False))
    else:
        for item in results.items:
            click.echo(
                f"{say.pick(dict(item.title))}\n    {services.settings.base_url}/{say.language}/datasets/{item.slug}"
            )
        found = say.ngettext("%(count)s dataset found.", "%(count)s datasets found.", results.total)
        click.echo(found)
        if results.suggestion:
            click.echo(say.gettext(N_("Did you mean “%(text)s”?"), text=results.suggestion))
    services.close()


def _hand_in(
    services: Services,
    file: Path,
    slug: str | None,
    metadata: dict[str, str],
    schema: dict[str, object] | None,
) -> Received:
    with file.open("rb") as stream:
        upload = Upload(stream, file.name, table_schema=schema)
        existing = _existing(services, slug)
        if existing is not None:
            resources = services.resource_queries.resources_of(COMMAND_LINE, existing)
            same = next((held for held in resources if held.latest.filename == file.name), None)
            if same is not None:
                return services.resources.replace_file(COMMAND_LINE, same.id, upload)
            return services.resources.add_resource(COMMAND_LINE, existing, upload)
        created = services.catalogue.create_dataset(
            COMMAND_LINE, metadata, slug=slug, publish_when_ready=True
        )
        return services.resources.add_resource(COMMAND_LINE, created.id, upload)


def _existing(services: Services, slug: str | None) -> str | None:
    if slug is None:
        return None
    try:
        return services.catalogue_queries.dataset(COMMAND_LINE, slug).id
    except NotFoundError:
        return None


def _follow(services: Services, received: Received) -> VersionView:
    """Show progress until the version is settled; do the work here when no worker takes it."""
    runner = build_job_runner(services)
    say, told, since = speak(), "", time.monotonic()
    while True:
        version = services.resource_queries.resource(COMMAND_LINE, received.resource_id).latest
        if version.is_settled:
            runner.run_batches()
            return version
        stage = f"{version.stage} {_share(version)}".strip()
        if stage != told and version.state == VersionState.PROCESSING:
            click.echo(f"  {stage}", err=True)
            told = stage
        if version.state == VersionState.RECEIVED and time.monotonic() - since > WORKER_SECONDS:
            click.echo(say.gettext(N_("No worker is running: doing the work here.")), err=True)
            runner.run_waiting()
        time.sleep(POLL_SECONDS)


def _share(version: VersionView) -> str:
    if not version.progress_total:
        return ""
    return f"{min(100, 100 * version.progress_done // version.progress_total)}%"


COMMANDS = (publish, search)
