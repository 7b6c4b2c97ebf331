"""What an audit found, as text, as a table and as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

_MARK = {"error": "x", "warning": "!", "note": "-"}


@dataclass(frozen=True)
class Finding:
    """One thing found.

    `severity` is "error" (a score from this split is wrong), "warning" (look before you trust a score) or "note";
    `rows` and `files` say where, rows counted through the audited parts in their order; `pairs` holds (row, row) of
    duplicates; `numbers` the figures that stand in the sentence.
    """

    severity: str
    kind: str
    sentence: str
    rows: tuple[int, ...] = ()
    files: tuple[str, ...] = ()
    pairs: tuple[tuple[int, int], ...] = ()
    numbers: dict = field(default_factory=dict)

    def to_dict(self) -> dict:
        """Return plain values for JSON."""
        return {**vars(self), "rows": list(self.rows), "files": list(self.files), "pairs": list(self.pairs)}


@dataclass(frozen=True)
class AuditReport:
    """What `audit` found, worst first."""

    name: str
    summary: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """True when nothing worse than a note was found."""
        return all(finding.severity == "note" for finding in self.findings)

    def of_kind(self, kind: str) -> list[Finding]:
        """Return the findings of one kind, such as "shared patients"."""
        return [finding for finding in self.findings if finding.kind == kind]

    def to_dict(self) -> dict:
        """Return plain values for JSON."""
        findings = [finding.to_dict() for finding in self.findings]
        return {"name": self.name, "summary": self.summary, "ok": self.ok, "findings": findings}

    def __str__(self) -> str:
        lines = [f"  {_MARK[f.severity]} {f.severity}: {f.sentence}" for f in self.findings]
        return "\n".join([f"Audit of {self.name}: {self.summary}", *(lines or ["  - nothing found"])])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td><b>{f.severity}</b></td><td>{escape(f.kind)}</td>"
            f"<td style='text-align:left'>{escape(f.sentence)}</td></tr>"
            for f in self.findings
        )
        return f"<p><b>Audit of {escape(self.name)}</b>: {escape(self.summary)}</p>" + (
            f"<table><tr><th>severity</th><th>kind</th><th>finding</th></tr>{rows}</table>"
            if rows
            else "<p>Nothing found.</p>"
        )
