#!/usr/bin/env python3
"""Checks the figures of a report of explore as JSON (version 2), without the database.

usage: verify.py REPORT.json      exit code 0: all figures check; 1: some do not; 2: no such report

For each fact of findings and answers:
  - each value stands in the sentence as its text says, and the text is the value, rounded;
  - differences, percentages, multiples and shares follow from the values that they are computed from;
  - a fact that states one cell agrees with that cell of the cited rows, within the rounding of the cell.
A sentence that tells two facts of a finding consists of their sentences.
"""
import json
import re
import sys
from decimal import Decimal, InvalidOperation


def number(text):
    """The number in a text such as '1,234.50 EUR', '-12.3%' or '2.0 points'; None if there is none."""
    found = re.search(r"-?[\d,]*\.?\d+", text.replace("\u2212", "-"))
    try:
        return Decimal(found.group().replace(",", "")) if found else None
    except InvalidOperation:
        return None


def rounding(text):
    """Half a unit of the last place that a text shows."""
    found = re.search(r"\.(\d+)", text.replace(",", ""))
    return Decimal(5).scaleb(-(len(found.group(1)) + 1 if found else 1))


def agrees(value, text):
    shown = number(text)
    return shown is not None and abs(abs(shown) - abs(value)) <= rounding(text) + abs(value) * Decimal("1e-9")


def values(fact):
    return {value["name"]: (Decimal(value["value"]), value["text"]) for value in fact["values"]}


def arithmetic(known):
    """Pairs of what a value should be and what it is."""
    of = {name: value for name, (value, _) in known.items()}
    if {"from", "to", "difference"} <= of.keys():
        yield "difference", of["to"] - of["from"], of["difference"]
    if {"from", "to", "percent"} <= of.keys() and of["from"] != 0:
        yield "percent", (of["to"] - of["from"]) / of["from"] * 100, of["percent"]
    if {"from", "to", "times"} <= of.keys() and min(of["from"], of["to"]) > 0:
        yield "times", max(of["from"], of["to"]) / min(of["from"], of["to"]), of["times"]
    if {"part", "whole", "value"} <= of.keys() and of["whole"] != 0:
        yield "share", of["part"] / of["whole"] * 100, of["value"]
    if {"part", "whole", "percent"} <= of.keys() and of["whole"] != 0:
        yield "percent", of["part"] / of["whole"] * 100, of["percent"]


def cell(fact, evidence):
    """The text of the only cell that a fact states; None if it states several, or its row is not cited."""
    is_computed = re.search(r"[*/]", re.sub(r"\[.*?\]", "", fact["claim"]))
    if fact["form"] != "value" or len(fact["cells"]) != 1 or is_computed:
        return None
    place = fact["cells"][0]
    for part in evidence:
        if part["query"] != place["query"]:
            continue
        for row in part["rows"]:
            if row["row"] == place["row"] + 1:
                return row["cells"][place["column"]]
    return None


def problems(fact, evidence):
    known = values(fact)
    for name, (value, text) in known.items():
        if text not in fact["sentence"] and name not in ("groups", "place", "whole", "part", "bound", "unchanged"):
            yield f"{name}: {text!r} is not in the sentence"
        if name != "place" and not agrees(value, text):
            yield f"{name}: {text!r} is not {value}"
    for name, expected, actual in arithmetic(known):
        if abs(expected - actual) > max(abs(expected), Decimal(1)) * Decimal("1e-9"):
            yield f"{name} is {actual}, but follows as {expected}"
    text = cell(fact, evidence)
    if text is not None and "value" in known and number(text) is not None and re.fullmatch(r"[-\d.]+", text):
        value = known["value"][0]
        # A share is read in percent, its cell may be a fraction.
        if not any(abs(scaled - Decimal(text)) <= rounding(text) for scaled in (value, value / 100)):
            yield f"the cell is {text}, the value {value}"


def hinges(finding):
    """Problems of sentences that tell two facts: both stand in them, word for word."""
    told = {fact["id"]: fact["sentence"] for fact in finding["facts"]}
    for joint in finding.get("joints", []):
        first, second = (told.get(joint[place], "?") for place in ("first", "second"))
        lowered = second[:1].lower() + second[1:]
        if joint["sentence"] not in (f"{first[:-1]}, {joint['hinge']} {other}" for other in (second, lowered)):
            yield f"{joint['first']} {joint['hinge']} {joint['second']}: the sentence is not that of its facts"


def main():
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            report = json.load(file)
        if report["schema_version"] != 2:
            raise ValueError(f"version {report['schema_version']} is not 2")
    except (IndexError, OSError, KeyError, ValueError) as error:
        print(f"verify.py: {error}\n{__doc__.splitlines()[2]}", file=sys.stderr)
        return 2
    facts, wrong = 0, 0
    evidence = [part for finding in report["findings"] for part in finding.get("evidence", [])]
    stated = [(finding["id"], fact) for finding in report["findings"] if finding["recorded_as"] == "facts"
              for fact in finding["facts"] + ([finding["impact"]] if finding.get("impact") else [])]
    stated += [(f"answer {answer['question']}", fact) for answer in report["answers"] for fact in answer["facts"]]
    for place, fact in stated:
        facts += 1
        for problem in problems(fact, evidence):
            wrong += 1
            print(f"{place} {fact['id']} ({fact['claim']}): {problem}\n  {fact['sentence']}")
    for finding in report["findings"]:
        if finding["recorded_as"] == "facts":
            for problem in hinges(finding):
                wrong += 1
                print(f"{finding['id']}: {problem}")
    print(f"{facts} facts, {wrong} problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
