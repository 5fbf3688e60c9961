#!/usr/bin/env python3
"""Draws how the parallel executor's time falls with its threads, as an SVG.

    needletail bench block --case gigagas/ --threads 1,2,4,8,16 --force --json > blocks.jsonl
    Tools/bench/scaling.py blocks.jsonl > scaling.svg

Both axes are logarithmic; the dashed line is a perfect speed-up. A block with several conflict rates
is a line each. Mainnet blocks, when there are any, are one line: the sum of their times.
"""

import json
import math
import sys

WIDTH, HEIGHT, MARGIN = 720, 480, 70
COLORS = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b"]


def read(lines):
    """Speed-ups by block, then by threads."""
    times = {}
    for line in lines:
        row = json.loads(line)
        name = "mainnet" if row["block"].startswith("mainnet/") else row["block"]
        serial, parallel = times.setdefault(name, {}).get(row["parallel"]["threads"], (0, 0))
        times[name][row["parallel"]["threads"]] = (
            serial + row["serialSeconds"], parallel + row["parallelSeconds"])
    return {
        name: {threads: a / b for threads, (a, b) in sorted(rows.items())}
        for name, rows in times.items()
    }


def draw(speedups):
    threads = sorted({count for rows in speedups.values() for count in rows})
    most = max(2, threads[-1])
    least = min([0.5] + [value for rows in speedups.values() for value in rows.values()])

    def x(count):
        return MARGIN + (WIDTH - 2 * MARGIN) * math.log2(count) / math.log2(most)

    def y(value):
        low, high = math.log2(least), math.log2(most)
        return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (math.log2(value) - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{WIDTH / 2}" y="24" text-anchor="middle" font-size="16">'
        "Parallel over serial execution of a block</text>",
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 18}" text-anchor="middle">threads</text>',
        f'<text x="20" y="{HEIGHT / 2}" text-anchor="middle" '
        f'transform="rotate(-90 20 {HEIGHT / 2})">speed-up</text>',
        f'<line x1="{x(1)}" y1="{y(1)}" x2="{x(most)}" y2="{y(most)}" stroke="#999" '
        'stroke-dasharray="5 4"/>',
    ]
    for count in threads:
        parts.append(
            f'<text x="{x(count)}" y="{HEIGHT - MARGIN + 20}" text-anchor="middle">{count}</text>')
    value = 2 ** math.ceil(math.log2(least))
    while value <= most:
        parts.append(
            f'<line x1="{MARGIN}" y1="{y(value)}" x2="{WIDTH - MARGIN}" y2="{y(value)}" '
            'stroke="#eee"/>'
            f'<text x="{MARGIN - 8}" y="{y(value) + 4}" text-anchor="end">{value:g}</text>')
        value *= 2
    for index, (name, rows) in enumerate(sorted(speedups.items())):
        color = COLORS[index % len(COLORS)]
        points = " ".join(f"{x(count):.1f},{y(value):.1f}" for count, value in rows.items())
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>'
            f'<text x="{MARGIN + 12}" y="{MARGIN + 18 * index}" fill="{color}">{name}</text>')
    return "\n".join(parts + ["</svg>"])


def main():
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    with open(sys.argv[1], encoding="utf-8") as file:
        speedups = read(file)
    if not speedups:
        print(f"scaling: {sys.argv[1]} has no results", file=sys.stderr)
        return 1
    print(draw(speedups))
    return 0


if __name__ == "__main__":
    sys.exit(main())
