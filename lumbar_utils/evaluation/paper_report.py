"""The paper's table with the intervals and tests that it lacks; what it reports is marked as reported."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from lumbar_utils.evaluation.intervals import LEVEL, clopper_pearson, wilson
from lumbar_utils.evaluation.page import page, table
from lumbar_utils.evaluation.paper import N_TEST, REPORTED, SUPPORT
from lumbar_utils.evaluation.paper_audit import Finding, counts_printed_as, findings, retested

TITLE = "The paper's results, read again"
KIND = "reported"
_NOTE = (
    f"Values marked {KIND} are the paper's own; the course did not measure them. Intervals ({LEVEL:.0%}), tests and "
    f"findings are computed from them and from the support of its table, {N_TEST} pictures, each taken as one patient."
)


@dataclass(frozen=True)
class PaperReport:
    """The paper's numbers and what follows from them.

    Attributes
    ----------
    accuracies : a row a model: accuracy and measured_on as printed, the pictures right that this means, of 19,
        wilson_low, wilson_high, exact_low, exact_high (Clopper-Pearson), value = "reported".
    by_class : a row a printed score of a class: model, class, score, printed, support; hits and Wilson's limits
        where the score is a recall that the support allows; value = "reported".
    comparisons : a row a pair of tested models: the smallest p value McNemar's exact test could give, and Holm's.
    findings : what does not fit together.
    """

    accuracies: pd.DataFrame = field(repr=False)
    by_class: pd.DataFrame = field(repr=False)
    comparisons: pd.DataFrame = field(repr=False)
    findings: tuple[Finding, ...]

    def to_dict(self) -> dict:
        """Return plain values for JSON; what is not known is None."""
        tables = {name: getattr(self, name) for name in ("accuracies", "by_class", "comparisons")}
        return {
            "note": _NOTE,
            **{
                name: frame.astype(object).where(frame.notna(), None).to_dict(orient="records")
                for name, frame in tables.items()
            },
            "findings": [finding._asdict() for finding in self.findings],
        }

    def to_html(self) -> str:
        """Return the report as a page of its own."""
        return page(TITLE, self._repr_html_())

    def __str__(self) -> str:
        parts = [TITLE, _NOTE]
        for caption, frame in self._shown():
            parts.append(f"{caption}\n{frame.to_string(index=False)}")
        parts.append(
            "What does not fit, and what 19 pictures can prove\n"
            + "\n".join(
                f"{i}. {f.reported} ({KIND})\n   {f.finding} ({f.how})"
                for i, f in enumerate(self.findings, 1)
            )
        )
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        tables = [
            table(caption, frame.columns, frame.itertuples(index=False)) for caption, frame in self._shown()
        ]
        rows = [(f"{f.reported} ({KIND})", f.finding, f.how) for f in self.findings]
        return (
            f"<p>{_NOTE}</p>"
            + "".join(tables)
            + table(
                "What does not fit, and what 19 pictures can prove",
                ("the paper", "what follows", "how"),
                rows,
            )
        )

    def _shown(self) -> list[tuple[str, pd.DataFrame]]:
        a, c, p = self.accuracies, self.by_class, self.comparisons
        between = lambda low, high: [_limits(*pair) for pair in zip(low, high, strict=True)]
        accuracies = pd.DataFrame(
            {
                "model": a["model"],
                f"accuracy ({KIND})": ["none" if v != v else f"{v:.2f}" for v in a["accuracy"]],
                "measured on": a["measured_on"],
                "right": ["" if v != v else f"{v:.0f} of {N_TEST}" for v in a["right"]],
                "Wilson": between(a["wilson_low"], a["wilson_high"]),
                "Clopper-Pearson": between(a["exact_low"], a["exact_high"]),
            }
        )
        by_class = pd.DataFrame(
            {
                "model": c["model"],
                "class": c["class"],
                "score": c["score"],
                f"value ({KIND})": [f"{v:.2f}" for v in c["printed"]],
                "support": c["support"],
                "right": [
                    "" if s != "recall" else "impossible" if h != h else f"{h:.0f} of {n}"
                    for s, h, n in zip(c["score"], c["hits"], c["support"], strict=True)
                ],
                "Wilson": between(c["low"], c["high"]),
            }
        )
        comparisons = pd.DataFrame(
            {
                "first": p["first"],
                "second": p["second"],
                "difference": [f"{v:+.3f}" for v in p["difference"]],
                "one-sided pictures": p["apart"],
                "McNemar p": [f"{v:.3f}" for v in p["p_value"]],
                "which is": p["known"],
                "p after Holm": [f"{v:.3f}" for v in p["p_holm"]],
            }
        )
        return [
            ("Accuracy", accuracies),
            ("By class", by_class),
            ("Comparisons, if all models saw the same pictures", comparisons),
        ]


def paper_reported() -> PaperReport:
    """Return the paper's table of results with its support, intervals, re-tested comparisons and findings."""
    return PaperReport(
        accuracies=pd.DataFrame([_accuracy(model) for model in REPORTED]),
        by_class=pd.DataFrame([_of_class(model, *key) for model in REPORTED for key in model.scores]),
        comparisons=pd.DataFrame(retested()),
        findings=findings(),
    )


def _accuracy(model) -> dict:
    known = model.measured_on == "test"
    right = counts_printed_as(model.accuracy, N_TEST)[0] if known else None
    low, high = wilson(right, N_TEST) if known else (None, None)
    exact_low, exact_high = clopper_pearson(right, N_TEST) if known else (None, None)
    limits = {"wilson_low": low, "wilson_high": high, "exact_low": exact_low, "exact_high": exact_high}
    return {
        "model": model.name,
        "accuracy": model.accuracy,
        "value": KIND,
        "measured_on": model.measured_on,
        "right": right,
        "of": N_TEST if known else None,
        **limits,
    }


def _of_class(model, class_name: str, score: str) -> dict:
    printed, support = model.scores[class_name, score], SUPPORT[class_name]
    hits = counts_printed_as(printed, support) if score == "recall" else []
    low, high = wilson(hits[0], support) if hits else (None, None)
    return {
        "model": model.name,
        "class": class_name,
        "score": score,
        "printed": printed,
        "value": KIND,
        "support": support,
        "hits": hits[0] if hits else None,
        "low": low,
        "high": high,
    }


def _limits(low: float, high: float) -> str:
    return "" if low != low else f"[{low:.3f}, {high:.3f}]"
