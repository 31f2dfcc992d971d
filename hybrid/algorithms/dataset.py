"""Small real data sets for classifiers, and a classical baseline: all that needs scikit-learn."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from circuits.errors import Refused, unknown
from circuits.problems.checks import finite, whole
from hybrid.algorithms.table import Table

DataLike = str | Table | tuple[ArrayLike, ArrayLike]
"""The name of a data set, one of `NAMES`; a `Table`; or (X, y): rows of raw features, and the class of each row."""

NAMES = ("breast_cancer", "digits", "iris", "wine")

WIDTH = 2.0
"""Standard deviations of the first component that become an angle of pi / 2; what lies beyond is cut off there."""


@dataclass(frozen=True, eq=False)
class Encoder:
    """From raw rows to angles: standardized, as principal components, all in the scale of the first, cut off.

    Attributes:
        mean: Of each raw feature, shape (raw features,).
        scale: Its standard deviation, same shape.
        center: Mean of the standardized rows, same shape.
        components: Of the standardized rows, shape (features, raw features).
        width: Size of a component that becomes an angle of pi / 2, shape ().
    """

    mean: np.ndarray
    scale: np.ndarray
    center: np.ndarray
    components: np.ndarray
    width: np.ndarray

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Angles, shape (rows, features), radians.

        Args:
            rows: Raw, shape (rows, raw features).
        """
        standard = (rows - self.mean) / self.scale
        found = standard @ self.components.T - self.center.reshape(1, -1) @ self.components.T
        return np.pi / 2 * np.clip(found / self.width, -1.0, 1.0)


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
    encoder: Encoder

    def angles(self, rows: ArrayLike) -> np.ndarray:
        """Raw rows of shape (rows, raw features) as angles, shape (rows, features), radians."""
        return self.encoder(np.asarray(rows, dtype=float))


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
    standard = StandardScaler().fit(X[train])
    reduced = PCA(n_features, svd_solver="full").fit(standard.transform(X[train]))
    encoder = Encoder(
        mean=np.asarray(standard.mean_),
        scale=np.asarray(standard.scale_),
        center=np.asarray(reduced.mean_),
        components=np.asarray(reduced.components_),
        width=np.asarray(WIDTH * np.sqrt(reduced.explained_variance_[0])),
    )
    return Dataset(name, classes, encoder(X[train]), y[train], encoder(X[test]), y[test], encoder)


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
    if not len(X):
        raise Refused(f"{title} has no rows")
    try:
        names, labels = np.unique(y, return_inverse=True)
    except TypeError as err:  # names and numbers, or None, among the classes
        raise Refused(f"y must hold classes of one type, numbers or names: {err}") from err
    if len(names) < 2:
        raise Refused(f"{title} has the class '{names[0]}' alone; a classifier needs two or more")
    return title, X, labels, tuple(map(str, names))


def _sklearn() -> None:
    try:
        import sklearn  # noqa: F401
    except ImportError as err:
        raise Refused("classifiers need scikit-learn; install it with: pip install 'hybrid-codesign[learn]'") from err
