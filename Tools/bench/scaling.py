#!/usr/bin/env python3
"""Draws the parallel executor's speed-up against its threads, and against the conflicts, as an SVG.

    needletail bench block --threads 1,2,4,8,16 --force --json > blocks.jsonl
    Tools/bench/scaling.py blocks.jsonl > scaling.svg

Left: a line for each made-up block, and one for all blocks of the main network together; both axes are
logarithmic and the dashed line is a perfect speed-up. Right: blocks of token transfers of which so many
percent go to one account (`conflicts/`), a line for each number of threads.
"""

import json
import math
import sys

WIDTH, HEIGHT, MARGIN = 560, 480, 60
COLORS = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2",
          "#7f7f7f", "#bcbd22"]


def read(lines):
    """Speed-ups by block, then by threads; and by threads, then by percent of conflicts."""
    times, conflicts = {}, {}
    for line in lines:
        row = json.loads(line)
        name, threads = row["block"], row["parallel"]["threads"]
        serial, parallel = row["serialSeconds"], row["parallelSeconds"]
        if name.startswith("conflicts/"):
            conflicts.setdefault(threads, {})[int(name.split("/")[1])] = serial / parallel
        elif not name.startswith("builder/"):
            if name.startswith("mainnet/"):
                name = "mainnet"
            a, b = times.setdefault(name, {}).get(threads, (0, 0))
            times[name][threads] = (a + serial, b + parallel)
    by_block = {
        name: {threads: a / b for threads, (a, b) in sorted(rows.items())}
        for name, rows in times.items()
    }
    return by_block, {threads: dict(sorted(rows.items())) for threads, rows in
                      sorted(conflicts.items())}


class Panel:
    """A frame with a logarithmic axis upwards."""

    def __init__(self, left, title, label, least, most, x):
        self.left, self.least, self.most, self.x = left, least, most, x
        middle = left + WIDTH / 2
        self.parts = [
            f'<text x="{middle}" y="24" text-anchor="middle" font-size="15">{title}</text>',
            f'<text x="{middle}" y="{HEIGHT - 14}" text-anchor="middle">{label}</text>',
        ]
        value = 2.0 ** math.ceil(math.log2(least))
        while value <= most:
            self.parts.append(
                f'<line x1="{left + MARGIN}" y1="{self.y(value):.1f}" x2="{left + WIDTH - 20}" '
                f'y2="{self.y(value):.1f}" stroke="{"#999" if value == 1 else "#eee"}"/>'
                f'<text x="{left + MARGIN - 8}" y="{self.y(value) + 4:.1f}" text-anchor="end">'
                f'{value:g}</text>')
            value *= 2

    def y(self, value):
        low, high = math.log2(self.least), math.log2(self.most)
        part = (math.log2(max(value, self.least)) - low) / (high - low)
        return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * part

    def place(self, x):
        return self.left + MARGIN + (WIDTH - MARGIN - 20) * self.x(x)

    def ticks(self, values):
        for value in values:
            self.parts.append(
                f'<text x="{self.place(value):.1f}" y="{HEIGHT - MARGIN + 20}" '
                f'text-anchor="middle">{value}</text>')

    def line(self, number, name, rows):
        color = COLORS[number % len(COLORS)]
        points = " ".join(f"{self.place(x):.1f},{self.y(y):.1f}" for x, y in rows.items())
        self.parts.append(
            f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>'
            f'<text x="{self.left + MARGIN + 10}" y="{MARGIN + 16 * number}" fill="{color}" '
            f'font-size="12">{name}</text>')


def draw(by_block, by_conflict):
    panels = []
    if by_block:
        threads = sorted({count for rows in by_block.values() for count in rows})
        most = max(2, threads[-1])
        values = [value for rows in by_block.values() for value in rows.values()]
        panel = Panel(0, "Speed-up of a block against threads", "threads", min(0.5, *values),
                      max(most, *values), lambda count: math.log2(count) / math.log2(most))
        panel.ticks(threads)
        panel.parts.append(
            f'<line x1="{panel.place(1)}" y1="{panel.y(1)}" x2="{panel.place(most)}" '
            f'y2="{panel.y(most)}" stroke="#999" stroke-dasharray="5 4"/>')
        for number, (name, rows) in enumerate(sorted(by_block.items())):
            panel.line(number, name, rows)
        panels.append(panel)
    if by_conflict:
        values = [value for rows in by_conflict.values() for value in rows.values()]
        panel = Panel(WIDTH * len(panels), "Speed-up against transfers to one account", "percent",
                      min(0.5, *values), max(2, *values), lambda percent: percent / 100)
        panel.ticks(sorted({percent for rows in by_conflict.values() for percent in rows}))
        for number, (threads, rows) in enumerate(by_conflict.items()):
            panel.line(number, f"{threads} threads", rows)
        panels.append(panel)
    width = WIDTH * len(panels)
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" '
         'font-family="sans-serif" font-size="13">',
         f'<rect width="{width}" height="{HEIGHT}" fill="white"/>']
        + [part for panel in panels for part in panel.parts] + ["</svg>"])


def main():
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    with open(sys.argv[1], encoding="utf-8") as file:
        by_block, by_conflict = read(line for line in file if line.strip())
    if not by_block and not by_conflict:
        print(f"scaling: {sys.argv[1]} has no results", file=sys.stderr)
        return 1
    print(draw(by_block, by_conflict))
    return 0


if __name__ == "__main__":
    sys.exit(main())
