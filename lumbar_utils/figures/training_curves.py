"""Loss and accuracy while a network learns."""

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lumbar_utils.dataset import LumbarError
from lumbar_utils.figures import style

_BEST_LINE = {"color": style.BLACK, "dash": "dot", "width": 1.5}
_COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy")


def training_curves(history) -> go.Figure:
    """Return loss (top) and accuracy (bottom) by epoch for training and validation, the best epoch marked.

    history : DataFrame with the columns epoch, loss, accuracy, val_loss, val_accuracy.
    """
    missing = [name for name in _COLUMNS if name not in history]
    if missing or not len(history):
        raise LumbarError(
            f"the history has {len(history)} rows and lacks {', '.join(missing) or 'no column'}, wanted one row an "
            f"epoch with {', '.join(_COLUMNS)}; hand in what fit returned."
        )
    fig = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    epoch = history["epoch"].to_numpy()
    mode = "lines" if len(history) > 30 else "lines+markers"
    for row, (name, factor) in enumerate((("loss", 1), ("accuracy", 100)), start=1):
        for column, label, colour, dash, symbol in (
            (name, "training", style.BLUE, "solid", "circle"),
            (f"val_{name}", "validation", style.VERMILLION, "dash", "diamond"),
        ):
            fig.add_scatter(
                x=epoch,
                y=(factor * history[column]).round(4).to_numpy(),
                mode=mode,
                line={"color": colour, "dash": dash, "width": 2.5},
                marker={"symbol": symbol, "size": 6},
                name=label,
                showlegend=row == 1,
                row=row,
                col=1,
            )
    known = history["val_loss"].dropna()
    if len(known):
        best = history.loc[known.idxmin()]
        for row in (1, 2):
            fig.add_vline(x=best["epoch"], line=_BEST_LINE, row=row, col=1)
        fig.add_scatter(
            x=[None], y=[None], mode="lines", line=_BEST_LINE, name="lowest validation loss", row=1, col=1
        )
    fig.update_yaxes(title_text="Loss (cross-entropy)", rangemode="tozero", row=1, col=1)
    fig.update_yaxes(title_text="Accuracy (%)", row=2, col=1)
    fig.update_xaxes(title_text="Epoch", row=2, col=1)
    if len(history) <= 10:
        fig.update_xaxes(dtick=1)
    fig.update_layout(
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"},
        hovermode="x unified",
        dragmode="zoom",
    )
    finding, details = _finding(history, known)
    return style.finish(fig, finding, details=details, height=480, above=22)


def _finding(history, known) -> tuple[str, str]:
    last = history.iloc[-1]
    if not len(known):
        return (
            f"Training accuracy is {style.percent(last['accuracy'])} after {_epochs(history)}; nothing was held out",
            "",
        )
    best = history.loc[known.idxmin()]
    start = f"Validation loss is lowest at epoch {best['epoch']:.0f} (accuracy {style.percent(best['val_accuracy'])})"
    gap = last["accuracy"] - last["val_accuracy"]
    details = (
        f"The dotted line marks that epoch. After {_epochs(history)}: training accuracy "
        f"{style.percent(last['accuracy'])}, validation accuracy {style.percent(last['val_accuracy'])}."
    )
    if last["epoch"] == best["epoch"]:
        return f"{start}, the last one: it may still be learning", details
    if gap > 0.1:
        return f"{start}; at the end training is {style.points(gap)} ahead, so the network memorises", details
    after = style.count(int(last["epoch"] - best["epoch"]), "epoch")
    return f"{start}; the {after} after it brought nothing", details


def _epochs(history) -> str:
    return style.count(len(history), "epoch")
