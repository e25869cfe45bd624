"""People, agencies, tokens and stored files from the terminal. The command line acts as platform admin."""

from __future__ import annotations

import hashlib

import click

from opendata.accounts.policy import COMMAND_LINE, Role
from opendata.cli.language import speak
from opendata.settings import load_settings
from opendata.wiring import build_services


@click.group()
def user() -> None:
    """People and their passwords."""


@user.command(name="add")
@click.argument("email")
@click.option("--name", default="", help="Name shown in the history of changes.")
@click.option("--admin", is_flag=True, help="Make a platform admin.")
@click.password_option(help="Asked for when left out.")
def add_user(email: str, name: str, admin: bool, password: str) -> None:
    """Add a person.

    \b
    Example:  opendata user add lan@example.org --name "Nguyễn Thị Lan"
    """
    services = build_services(load_settings())
    services.accounts.add_person(
        COMMAND_LINE, email=email, name=name, password=password, is_platform_admin=admin
    )
    click.echo(f"{email} can sign in.")


@user.command(name="password")
@click.argument("email")
@click.password_option(help="Asked for when left out.")
def set_password(email: str, password: str) -> None:
    """Set a new password and end the person's sessions.

    \b
    Example:  opendata user password lan@example.org
    """
    build_services(load_settings()).accounts.set_password(COMMAND_LINE, email, password)
    click.echo("The password is set.")


@user.command(name="role")
@click.argument("email")
@click.argument("agency")
@click.argument("role", type=click.Choice([*Role, "none"]))
def set_role(email: str, agency: str, role: str) -> None:
    """Give EMAIL a role in AGENCY, or take it away with “none”.

    \b
    Example:  opendata user role lan@example.org BTC editor
    """
    wanted = None if role == "none" else Role(role)
    build_services(load_settings()).accounts.set_role(COMMAND_LINE, email, agency, wanted)
    click.echo(f"{email}: {role} ({agency})")


@user.command(name="list")
def list_users() -> None:
    """Everyone who can sign in, with roles.

    \b
    Example:  opendata user list
    """
    for person in build_services(load_settings()).account_queries.people():
        roles = ", ".join(f"{held.agency_code}: {held.role}" for held in person.memberships)
        click.echo(f"{person.email}  {'platform admin' if person.is_platform_admin else roles}")


@click.group()
def agency() -> None:
    """Agencies that publish."""


@agency.command(name="list")
def list_agencies() -> None:
    """Codes and names of all agencies.

    \b
    Example:  opendata agency list
    """
    say = speak()
    for held in build_services(load_settings()).account_queries.agencies():
        click.echo(f"{held.code:35} {say.pick(held.name)}")


@click.group()
def token() -> None:
    """API tokens."""


@token.command(name="issue")
@click.argument("email")
@click.option("--label", default="token", help="What the token is for.")
@click.option("--days", default=90, help="How long it works.")
def issue_token(email: str, label: str, days: int) -> None:
    """Print a new token for EMAIL; it cannot be shown again.

    \b
    Example:  opendata token issue lan@example.org --label "nightly upload" --days 30
    """
    click.echo(build_services(load_settings()).accounts.issue_token(COMMAND_LINE, email, label, days))


@click.command()
def verify() -> None:
    """Read every stored file again and compare it with its sha256. Exit code 1 when one differs.

    \b
    Example:  opendata verify
    """
    store = build_services(load_settings()).store
    count, damaged = 0, []
    for digest in store.digests():
        with store.path(digest).open("rb") as handle:
            if hashlib.file_digest(handle, "sha256").hexdigest() != digest:
                damaged.append(digest)
        count += 1
    for digest in damaged:
        click.echo(f"damaged: {digest}")
    click.echo(f"{count} files read, {len(damaged)} damaged.")
    if damaged:
        raise click.exceptions.Exit(1)


COMMANDS = (user, agency, token, verify)
