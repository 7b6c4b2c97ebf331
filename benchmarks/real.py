"""The real dataset in one line: what the localiser finds in it, and the AUC of herniated discs by source.

`LUMBAR_REAL_DATA=FOLDER python -m benchmarks.real [--json]`. Bodies and discs are found anew in the published pictures;
the AUCs come from the stored predictions of `python -m lumbar_utils real`, out of fold, with intervals over patients.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from benchmarks.localiser import measure as measure_localiser
from lumbar_utils.dataset import LumbarError
from lumbar_utils.studies.real_scores import about_real, real_table

SHOWN = {
    "auc_box": "box",
    "auc_scratch": "scratch",
    "auc_imagenet": "imagenet",
    "auc_phantom": "phantom",
    "auc_zero_shot": "zero_shot",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = os.environ.get("LUMBAR_REAL_DATA")
    if not folder:
        raise SystemExit(
            "Set LUMBAR_REAL_DATA to the folder that holds spider_slices and roboflow_disc_herniation."
        )
    try:
        found = measure(Path(folder))
    except LumbarError as problem:
        raise SystemExit(str(problem)) from None
    print(
        json.dumps(found) if options.json else "\n".join(f"{name}: {value}" for name, value in found.items())
    )


def measure(folder: Path) -> dict:
    """Return bodies and discs found, and the AUCs, each with value, low and high of 95 % over patients."""
    located = measure_localiser(folder)
    rows = real_table().set_index("source")
    aucs = {
        name: {"value": rows.auc[source], "low": rows.auc_low[source], "high": rows.auc_high[source]}
        for name, source in SHOWN.items()
    }
    return {
        "bodies_found": located["bodies_found"],
        "discs_found": located["boxes_with_a_disc"],
        **aucs,
        "about": {key: about_real()[key] for key in ("discs", "patients", "folds", "tuned_up_to_patient")},
    }


if __name__ == "__main__":
    main()
