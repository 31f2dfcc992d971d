"""What the results of all algorithms have in common: they print themselves, in a terminal and in a notebook."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from circuits import tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Summary(ABC):
    """A result that shows itself as a title and a few rows."""

    @abstractmethod
    def title(self) -> str:
        """What was done to what."""

    @abstractmethod
    def plot(self) -> "Figure":
        """A picture of the results."""

    @abstractmethod
    def rows(self) -> list[tuple[str, str]]:
        """The results as pairs of a name and a text, for tables."""

    def __str__(self) -> str:
        return tables.text(self.rows(), title=self.title())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return tables.html(self.rows(), title=self.title())
