"""A patient's clinical table (age, sex, complaints) as a model takes it, with values that nobody wrote down.

The phantom draws age, sex and complaints from the phenotype of a patient (`phantom.clinical`), so what a table tells
about the class is what was put in, means and spreads of published cohorts; within a class the complaints know nothing
of the picture. Scores on phantom tables show how inputs are joined, not what a history is worth in a clinic.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler
from threadpoolctl import threadpool_limits

from ..dataset import PAPER4, LumbarDataset, LumbarError
from ..phantom.sample import row_of, sample_patient

# Columns and the values that they may hold; `woman` is 1 for "F" and 0 for "M" in `sex`.
NUMBERS = {"age_years": (18, 110), "odi": (0, 100), "vas_leg": (0, 10), "vas_back": (0, 10)}
FINDINGS = ("woman", "leg_pain_dominant", "claudication", "slr_positive")  # 0 or 1
COLUMNS = (*NUMBERS, *FINDINGS)


def clinical_table(meta: LumbarDataset | pd.DataFrame | Mapping) -> pd.DataFrame:
    """Return (N, 8) float: the columns of `COLUMNS`, NaN where a value is unknown.

    Parameters
    ----------
    meta : a dataset, its `meta`, or one patient as a dict. It may lack any of age_years, odi (0 to 100), vas_leg,
        vas_back (0 to 10), sex ("F" or "M"), leg_pain_dominant, claudication, slr_positive (0 or 1): a lacking column
        is unknown for everybody. Other columns are left out; masks and grades must not become features.

    Raises
    ------
    LumbarError : none of the columns, or a value out of its range.
    """
    if isinstance(meta, LumbarDataset):
        meta = meta.meta
    given = pd.DataFrame([meta]) if isinstance(meta, Mapping) else meta
    known = [name for name in ("sex", *COLUMNS) if name in given and name != "woman"]
    if not known:
        raise LumbarError(
            f"The table has the columns {', '.join(map(str, given.columns)) or 'none'}, wanted one or more of "
            f"age_years, sex, {', '.join(COLUMNS[1:4] + COLUMNS[5:])}; rename them."
        )
    table = pd.DataFrame(np.nan, index=range(len(given)), columns=COLUMNS)
    for name in known:
        values = given[name].reset_index(drop=True)
        if name == "sex":
            wrong = values.notna() & ~values.isin(("F", "M"))
            _refuse(values, wrong, name, '"F", "M" or nothing')
            table["woman"] = values.map({"F": 1.0, "M": 0.0}).astype(float)
            continue
        low, high = NUMBERS.get(name, (0, 1))
        numbers = pd.to_numeric(values, errors="coerce").astype(float)
        fits = numbers.between(low, high) if name in NUMBERS else numbers.isin((0, 1))
        wanted = f"{low} to {high}" if name in NUMBERS else "0, 1"
        _refuse(values, values.notna() & ~fits, name, f"{wanted} or nothing")
        table[name] = numbers
    return table


def _refuse(values: pd.Series, wrong: pd.Series, name: str, wanted: str) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise LumbarError(
            f"{name} is {str(values.iloc[row])!r} in row {row} of the table, wanted {wanted}; correct it "
            "or leave it out."
        )


def draw_tables(n_patients: int, *, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return `meta` rows and labels (N,) of the patients of `make_dataset(n_patients, seed=seed)`, without pictures.

    A patient takes one millisecond instead of twenty. The labels are indices into `PAPER4`.
    """
    if n_patients < 1:
        raise LumbarError(f"n_patients is {n_patients}, wanted 1 or more; ask for at least one.")
    patients = [sample_patient(int(each)) for each in np.random.SeedSequence(seed).generate_state(n_patients)]
    labels = np.array([PAPER4.index(patient.label) for patient in patients])
    return pd.DataFrame([row_of(patient) for patient in patients]), labels


def hide_values(table: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    """Return a copy in which each patient has lost a share of the values, any share from none to all alike."""
    share = generator.random((len(table), 1))
    return table.mask(generator.random(table.shape) < share)


class TableModel(ClassifierMixin, BaseEstimator):
    """Multinomial logistic regression on the clinical table; an unknown value is imputed and marked as unknown.

    Medians, splines and coefficients are fitted on what `fit` is given: the training fold. It also learns from copies
    of the patients with values hidden at random (`hide_values`), so that a patient without any value is answered with
    about the shares of the classes, and not as the median patient.

    Parameters
    ----------
    columns : of `COLUMNS`; ("age_years",) is the baseline that any table has to beat.
    hidden_copies : of each patient. strength : scikit-learn's C, small is strong. seed : of what is hidden.

    Attributes
    ----------
    classes_ : (K,) labels. pipeline_ : the fitted scikit-learn pipeline.
    """

    def __init__(
        self,
        columns: tuple[str, ...] = COLUMNS,
        *,
        hidden_copies: int = 2,
        strength: float = 1.0,
        seed: int = 0,
    ):
        self.columns, self.hidden_copies, self.strength, self.seed = columns, hidden_copies, strength, seed

    def fit(self, table: pd.DataFrame, labels: np.ndarray) -> TableModel:
        """Learn from (N, C) values with NaN and (N,) labels."""
        chosen, generator = self._chosen(table), np.random.default_rng(self.seed)
        copies = [hide_values(chosen, generator) for _ in range(self.hidden_copies)]
        rows = pd.concat([chosen, *copies], ignore_index=True)
        self.pipeline_ = make_pipeline(
            spline_features(tuple(self.columns)),
            LogisticRegression(C=self.strength, solver="newton-cholesky"),
        )
        # a second thread gains nothing on so few columns, and on a busy machine waits two hundred times as long
        with threadpool_limits(1):
            self.pipeline_.fit(rows, np.tile(np.asarray(labels), 1 + self.hidden_copies))
        self.classes_ = self.pipeline_.classes_
        return self

    def predict_proba(self, table: pd.DataFrame) -> np.ndarray:
        """Return (N, K) probabilities, in the order of `classes_`."""
        return self.pipeline_.predict_proba(self._chosen(table))

    def predict(self, table: pd.DataFrame) -> np.ndarray:
        """Return (N,) labels."""
        return self.classes_[self.predict_proba(table).argmax(axis=1)]

    def _chosen(self, table: pd.DataFrame) -> pd.DataFrame:
        missing = [name for name in self.columns if name not in table]
        if missing or not len(table):
            raise LumbarError(
                f"The table has {len(table)} rows and lacks {', '.join(missing) or 'no column'}; hand in what "
                "clinical_table returns."
            )
        return table[list(self.columns)]


def spline_features(columns: tuple[str, ...]) -> FeatureUnion:
    """Return an unfitted transformer of (N, C) values: splines of the numbers, the findings, a mark a column.

    A straight line in age would say that the oldest are the likeliest of one class; cubic splines let a class be
    likeliest in middle age. A missing number is imputed by the training median, a missing finding by the commonest.
    """
    numbers = [name for name in columns if name in NUMBERS]
    findings = [name for name in columns if name in FINDINGS]
    numeric = make_pipeline(
        # a column that nobody has filled in carries nothing, and must not go away unnoticed
        SimpleImputer(strategy="median", keep_empty_features=True),
        SplineTransformer(n_knots=5, degree=3, include_bias=False),
    )
    yes_or_no = SimpleImputer(strategy="most_frequent", keep_empty_features=True)
    values = ColumnTransformer([("numbers", numeric, numbers), ("findings", yes_or_no, findings)])
    return FeatureUnion([("values", values), ("missing", MissingIndicator(features="all"))])


def marked_features() -> FeatureUnion:
    """Return an unfitted transformer of (N, C) values for a network, to (N, 2 C).

    First the values, scaled to mean 0 and spread 1 over the training patients with 0 where missing, then C marks, 1
    where missing. (No splines: a network bends by itself.)
    """
    scaled = Pipeline(
        [
            ("scale", StandardScaler()),
            ("impute", SimpleImputer(strategy="constant", fill_value=0.0, keep_empty_features=True)),
        ]
    )
    return FeatureUnion([("values", scaled), ("missing", MissingIndicator(features="all"))])
