#!/usr/bin/env python3
"""Make one of the demo's two changes to the project, and print it as a diff.

python changes.py mart            # mart_daily_sales gets a new metric; mart_marketing_campaigns depends on it
python changes.py intermediate    # int_orders gets a new column; four models depend on it
python changes.py mart --undo     # and back
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

# name: (file, line that is there, line that comes after it)
CHANGES = {
    "mart": (
        "models/marts/mart_daily_sales.sql",
        "    cast(net_revenue as numeric(18, 2)) as net_revenue,\n",
        "    {{ average_amount('net_revenue', 'orders') }} as average_order_value,\n",
    ),
    "intermediate": (
        "models/intermediate/int_orders.sql",
        "    cast(lines.net_amount as numeric(18, 2)) as net_amount,\n",
        "    lines.refunded > 0 and lines.net_amount = 0 as is_fully_refunded,\n",
    ),
}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Make one of the demo's changes to the project.")
    parser.add_argument("change", choices=CHANGES)
    parser.add_argument("--undo", action="store_true", help="take the change back")
    options = parser.parse_args(argv)

    name, anchor, addition = CHANGES[options.change]
    path = Path(__file__).parent / name
    before = path.read_text(encoding="utf-8")
    old, new = (anchor + addition, anchor) if options.undo else (anchor, anchor + addition)
    if before.count(old) != 1 or (not options.undo and addition in before):
        sys.exit(f"{name}: the line to change is not there, or it was changed already; nothing done")
    after = before.replace(old, new)
    path.write_text(after, encoding="utf-8")
    sys.stdout.writelines(
        difflib.unified_diff(before.splitlines(True), after.splitlines(True), f"a/{name}", f"b/{name}", n=2)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
