"""Small real data sets for classifiers, and a classical baseline: all that needs scikit-learn."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from circuits.errors import Refused, unknown
from circuits.problems.checks import finite, whole
from hybrid.algorithms.table import Table

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

DataLike = str | Table | tuple[ArrayLike, ArrayLike]
"""The name of a data set, one of `NAMES`; a `Table`; or (X, y): rows of raw features, and the class of each row."""

NAMES = ("breast_cancer", "digits", "iris", "wine")

WIDTH = 2.0
"""Standard deviations of the first component that become an angle of pi / 2; what lies beyond is cut off there."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows of angles with their classes, some of them held out.

    Attributes:
        name: Of the data.
        classes: Their names.
        train: Angles, shape (rows, features), radians.
        train_labels: Number of each row's class, shape (rows,).
        test: Angles of the rows that are held out, shape (rows held out, features), radians.
        test_labels: Number of the class of each of these, shape (rows held out,).
        encoder: From raw rows to principal components, fitted to the training rows alone.
    """

    name: str
    classes: tuple[str, ...]
    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray
    encoder: "Pipeline"

    def angles(self, rows: ArrayLike) -> np.ndarray:
        """Raw rows of shape (rows, raw features) as angles, shape (rows, features), radians."""
        return _angles(self.encoder, np.asarray(rows, dtype=float))


def load(data: DataLike, *, n_features: int, held_out: float, seed: int) -> Dataset:
    """Standardize, keep the principal components, turn them into angles, and hold some rows out.

    Args:
        data: "breast_cancer", "digits", "iris" or "wine", which come with scikit-learn; a `Table`, such as
            `hybrid.algorithms.table.read_table` reads; or (X, y) with X of shape (rows, raw features) and y of shape
            (rows,).
        n_features: Principal components to keep.
        held_out: Share of the rows that are held out, taken from each class alike, between 0 and 1.
        seed: Of the choice of rows.

    Raises:
        Refused: for unknown or unfit data, or if the extra ``learn`` is not installed.
    """
    _sklearn()
    from sklearn.decomposition import PCA
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    name, X, y, classes = _raw(data)
    n_features = whole(n_features, "n_qubits", at_least=1)
    if n_features > X.shape[1]:
        raise Refused(f"n_qubits must be at most {X.shape[1]}, the features of {name}, not {n_features}")
    if not 0 < finite(held_out, "held_out") < 1:
        raise Refused(f"held_out must be a share between 0 and 1, not {held_out}")
    everything = np.arange(len(y))
    try:
        train, test = train_test_split(everything, test_size=held_out, stratify=y, random_state=seed)
    except ValueError as err:
        raise Refused(f"{name} cannot be divided with held_out = {held_out}: {err}") from err
    encoder = make_pipeline(StandardScaler(), PCA(n_features, svd_solver="full")).fit(X[train])
    return Dataset(name, classes, _angles(encoder, X[train]), y[train], _angles(encoder, X[test]), y[test], encoder)


def baseline(data: Dataset) -> float:
    """Share of the rows held out, from 0 to 1, that logistic regression on the same angles gets right.

    Raises:
        Refused: if the extra ``learn`` is not installed.
    """
    _sklearn()
    from sklearn.linear_model import LogisticRegression

    return float(
        LogisticRegression(max_iter=1000).fit(data.train, data.train_labels).score(data.test, data.test_labels)
    )


def _angles(encoder: Any, X: np.ndarray) -> np.ndarray:
    """All components in the scale of the first, so that the small ones stay small."""
    width = WIDTH * np.sqrt(encoder[-1].explained_variance_[0])
    return np.pi / 2 * np.clip(encoder.transform(X) / width, -1.0, 1.0)


def _raw(data: DataLike) -> tuple[str, np.ndarray, np.ndarray, tuple[str, ...]]:
    """Name of the data, raw rows, number of each row's class, and names of the classes."""
    if isinstance(data, str):
        from sklearn import datasets

        if data not in NAMES:
            raise unknown("data set", data, NAMES)
        bunch = getattr(datasets, f"load_{data}")()
        return data, np.asarray(bunch.data, dtype=float), np.asarray(bunch.target), tuple(map(str, bunch.target_names))
    title, data = (data.name, (data.X, data.y)) if isinstance(data, Table) else ("data", data)
    try:
        X, y = data
        X, y = np.asarray(X, dtype=float), np.asarray(y)
    except (TypeError, ValueError) as err:
        raise Refused(f"data must be one of {', '.join(NAMES)}, or (X, y): {err}") from err
    if X.ndim != 2 or y.shape != X.shape[:1] or not np.all(np.isfinite(X)):
        raise Refused(f"X must be finite, of shape (rows, features), and y of shape (rows,); not {X.shape}, {y.shape}")
    names, labels = np.unique(y, return_inverse=True)
    if len(names) < 2:
        raise Refused(f"{title} has the class '{names[0]}' alone; a classifier needs two or more")
    return title, X, labels, tuple(map(str, names))


def _sklearn() -> None:
    try:
        import sklearn  # noqa: F401
    except ImportError as err:
        raise Refused("classifiers need scikit-learn; install it with: pip install 'hybrid-codesign[learn]'") from err
