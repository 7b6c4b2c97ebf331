"""A report as a page of its own: readable in any browser, without scripts and without the network."""

from html import escape

_STYLE = """
body { font: 16px/1.5 Arial, Helvetica, sans-serif; color: #222; max-width: 76rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 }
caption { text-align: left; font-weight: bold; padding: .4rem 0 }
th, td { border: 1px solid #ccc; padding: .3rem .6rem; text-align: left; vertical-align: top }
td { font-variant-numeric: tabular-nums }
thead th, tr:first-child > th[scope=col] { background: #f0f0f0 }
@media (max-width: 60rem) { table { display: block; overflow-x: auto } }
"""


def page(title: str, body: str) -> str:
    """Return a whole HTML page with `body`, which is HTML, under `title`, which is text."""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def table(caption: str, header, rows) -> str:
    """Return an HTML table of text; the first cell of each row is its header."""
    head = "".join(f'<th scope="col">{escape(str(cell))}</th>' for cell in header)
    lines = (
        f'<tr><th scope="row">{escape(str(first))}</th>'
        + "".join(f"<td>{escape(str(cell))}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table>"
    )
