"""Accuracies of several models with their intervals."""

import plotly.graph_objects as go

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation import Report
from lumbar_utils.figures import style


def compare_accuracy(reports: dict[str, Report], ceiling: Report | None = None) -> go.Figure:
    """Return one row a model, best on top: accuracy in % with its interval, and what a constant guess reaches.

    ceiling : of the same test set, what can be reached at most; drawn as a line, for it is no rival.
    """
    if not reports:
        raise LumbarError(
            "there is no report to compare; hand in a dict such as {'CNN': evaluate(predictions)}."
        )
    ranked = sorted(reports.items(), key=lambda item: -item[1].accuracy.value)
    one_test_set = len({_test_set(report) for report in reports.values()}) == 1
    fig = go.Figure()
    for position, (name, report) in enumerate(ranked):
        accuracy = report.accuracy
        label = name if one_test_set else f"{name}<br>({report.measured_on}, {report.n_patients} patients)"
        fig.add_scatter(
            x=[100 * accuracy.value],
            y=[label],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [100 * (accuracy.high - accuracy.value)],
                "arrayminus": [100 * (accuracy.value - accuracy.low)],
                "thickness": 2.5,
                "width": 7,
            },
            mode="markers+text",
            marker={"size": 12, "symbol": "circle" if position == 0 else "diamond"},
            marker_color=style.BLUE if position == 0 else style.GREY,
            text=[f"{100 * accuracy.value:.1f}"],
            textposition="top center",
            hovertemplate=(
                f"{name}: {100 * accuracy.value:.1f} % [{100 * accuracy.low:.1f}, {100 * accuracy.high:.1f}]"
                f"<br>{accuracy.method}<extra></extra>"
            ),
            showlegend=False,
        )
    guess = _constant_guess(ranked[0][1]) if one_test_set else None
    if guess is not None:
        fig.add_vline(x=100 * guess, line={"color": style.BLACK, "dash": "dot", "width": 1.5})
        fig.add_annotation(
            x=100 * guess, y=1, yref="paper", yanchor="bottom", showarrow=False, font={"size": 12},
            text=f"always the commonest class: {100 * guess:.0f}",
        )  # fmt: skip
    if ceiling is not None:
        if {_test_set(ceiling)} != {_test_set(report) for report in reports.values()}:
            raise LumbarError(
                f"the ceiling was measured on {ceiling.dataset} ({ceiling.n_patients} patients), not all models were; "
                "hand in one of the same test set, or none."
            )
        reached = 100 * ceiling.accuracy.value
        fig.add_vline(x=reached, line={"color": style.BLACK, "dash": "dash", "width": 1.5})
        fig.add_annotation(
            x=reached, y=1, yref="paper", yanchor="bottom", showarrow=False, font={"size": 12},
            text=f"ceiling: {reached:.1f}",
        )  # fmt: skip
    measured = sorted({report.measured_on for report in reports.values()})
    lows = [100 * low for _, r in ranked if (low := r.accuracy.low) == r.accuracy.low]
    left = max(
        0, min([*lows, 100 * ranked[-1][1].accuracy.value, 100 * (guess if guess is not None else 1)]) - 8
    )
    fig.update_xaxes(
        title_text=f"Accuracy on {' and on '.join(measured)} (%), with {ranked[0][1].accuracy.level:.0%} interval",
        range=[left, 103],
    )
    fig.update_yaxes(range=[len(ranked) - 0.5, -0.65], showgrid=False, tickfont={"size": 14})
    details = "; ".join(f"{name} {report.accuracy} ({report.accuracy.method})" for name, report in ranked)
    if ceiling is not None:
        details += f"; the ceiling, {ceiling.model.lower()}, {ceiling.accuracy}"
    return style.finish(
        fig,
        _finding(ranked, one_test_set) if ceiling is None else _distance(ranked[0], ceiling),
        details=f"{details}. Whether two intervals overlap is no test; a paired difference is.",
        height=95 + (62 if len(ranked) < 5 else 46) * len(ranked),
        above=18,
    )


def _distance(best: tuple[str, Report], ceiling: Report) -> str:
    gap = ceiling.accuracy.value - best[1].accuracy.value
    where = "below" if gap >= 0 else "above"
    return f"{best[0]} comes closest to the ceiling: {style.points(abs(gap))} {where} it"


def _test_set(report: Report) -> tuple:
    return report.dataset, report.measured_on, report.n_images, tuple(report.confusion.sum(axis=1))


def _constant_guess(report: Report) -> float:
    return float(report.confusion.sum(axis=1).max() / report.n_images)


def _finding(ranked, one_test_set: bool) -> str:
    best_name, best = ranked[0][0], ranked[0][1].accuracy
    if len(ranked) == 1:
        limits = f" ({100 * best.low:.0f} to {100 * best.high:.0f})" if best.low == best.low else ""
        return f"{best_name} is right on {style.percent(best.value)} of the pictures{limits}"
    if not one_test_set:
        return "These accuracies come from different test sets and cannot be ranked"
    second_name, second = ranked[1][0], ranked[1][1].accuracy
    if best.value == second.value:
        tied = [name for name, report in ranked if report.accuracy.value == best.value]
        return f"{' and '.join(tied)} are level at {style.percent(best.value)}"
    overlap = best.low <= second.high
    link = "and the intervals overlap" if overlap else "and the intervals are apart"
    if best.low != best.low or second.low != second.low:
        link = "and there is no interval to judge that by"
    return f"{best_name} is ahead of {second_name} by {style.points(best.value - second.value)}, {link}"
