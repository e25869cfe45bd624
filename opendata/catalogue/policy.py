"""Who may see and change datasets: each rule about one dataset has its twin about all of them.

A test holds `can_view_dataset` equal to the SQL clause and to the search tokens for every kind of actor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, or_, true

from opendata.accounts.policy import Permission
from opendata.catalogue.models import Dataset, DatasetState
from opendata.search.port import PUBLIC

if TYPE_CHECKING:
    from opendata.accounts.policy import Actor


EVERYTHING = "portal"


def can_view_dataset(actor: Actor, dataset: Dataset) -> bool:
    """Published datasets are everyone's; others are seen by those who may edit them."""
    return dataset.state == DatasetState.PUBLISHED or can_edit_dataset(actor, dataset)


def can_edit_dataset(actor: Actor, dataset: Dataset) -> bool:
    return actor.may(Permission.EDIT_DATASETS, dataset.agency_code)


def visible_datasets(actor: Actor) -> ColumnElement[bool]:
    """The rows that `can_view_dataset` allows, as an SQL clause."""
    if actor.is_platform_admin:
        return true()
    own = actor.agencies_allowing(Permission.EDIT_DATASETS)
    return or_(Dataset.state == DatasetState.PUBLISHED, Dataset.agency_code.in_(sorted(own)))


def visible_tokens(actor: Actor) -> frozenset[str]:
    """The same rule for the search index: a document is seen when it carries one of these."""
    if actor.is_platform_admin:
        return frozenset({EVERYTHING})
    own = actor.agencies_allowing(Permission.EDIT_DATASETS)
    return frozenset({PUBLIC, *(f"agency:{code}" for code in own)})


def document_tokens(dataset: Dataset) -> tuple[str, ...]:
    """What the document of this dataset carries."""
    own = (EVERYTHING, f"agency:{dataset.agency_code}")
    return (*own, PUBLIC) if dataset.state == DatasetState.PUBLISHED else own
