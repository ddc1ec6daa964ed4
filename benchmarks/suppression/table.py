"""The table of docs/interactiveness.md."""

import json
from pathlib import Path

from page import write_part
from study.tables import spread

from .outcomes import PLAIN, Outcome


def write_page(page: Path, records: Path) -> None:
    """Rewrite the page's table from all records."""
    outcomes = [Outcome(**json.loads(path.read_text())) for path in sorted(records.glob("*.json"))]
    write_part(page, "python benchmarks/suppression", table(outcomes))


def table(outcomes: list[Outcome]) -> str:
    """Mean and standard deviation over seeds; gains are those of the same host without suppression."""
    if not outcomes:
        return "*No host is finished yet.*"
    lines = ["| host | rule | seeds | mAP | gain | rare | suppressed: right | wrong |", "| --- " * 8 + "|"]
    for host in dict.fromkeys(outcome.host for outcome in outcomes):
        runs = [outcome for outcome in outcomes if outcome.host == host]
        for rule in runs[0].rules:
            cells = [spread(lambda run, key=key, rule=rule: run.rules[rule][key], runs) for key in ("full", "rare")]
            gain = spread(lambda run, rule=rule: run.rules[rule]["full"] - run.rules[PLAIN]["full"], runs)
            gain = "" if rule == PLAIN else gain if gain.startswith("-") else f"+{gain}"
            counts = [_count(runs, rule, key) for key in ("right", "wrong")]
            lines.append(f"| {host} | {rule} | {len(runs)} | {cells[0]} | {gain} | {cells[1]} | {' | '.join(counts)} |")
    lines += ["", "| pairs of | seeds | pairs | labelled | AP interactive | AP non-interactive | binary mAP |"]
    lines.append("| --- " * 7 + "|")
    for host in dict.fromkeys(outcome.host for outcome in outcomes):
        runs = [outcome for outcome in outcomes if outcome.host == host]
        pairs, share = (sum(run.network[key] for run in runs) / len(runs) for key in ("pairs", "interactive_pairs"))
        aps = [
            spread(lambda run, key=key: run.network[key], runs)
            for key in ("AP_interactive", "AP_non_interactive", "mAP")
        ]
        lines.append(f"| {host} | {len(runs)} | {pairs:,.0f} | {share / pairs:.1%} | {' | '.join(aps)} |")
    return "\n".join(lines)


def _count(runs: list[Outcome], rule: str, key: str) -> str:
    """Mean over seeds; empty where nothing is suppressed."""
    if rule == PLAIN or key not in runs[0].rules[rule]:
        return ""
    return f"{sum(run.rules[rule][key] for run in runs) / len(runs):,.0f}"
