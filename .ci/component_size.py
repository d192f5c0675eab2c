#!/usr/bin/env python3
"""Prints how large a component is and what it consists of, and fails where it is over the limit.

    component_size.py COMPONENT.wasm

A component is a list of sections, and so is each module within it. What is printed adds up to the file: the sections of
the largest module (the program), the table that lies in its data, the adapters, and what describes them all.
"""

import struct
import sys

LIMIT = 1024 * 1024
MAGIC = b"\0asm"
MODULE, COMPONENT = b"\x01\0\0\0", b"\x0d\0\x01\0"
# Sections of a component that hold a module or a component.
NESTED = (1, 4)
SECTIONS = {
    0: "custom sections", 1: "types", 2: "imports", 3: "functions", 4: "tables", 5: "memories", 6: "globals",
    7: "exports", 8: "start", 9: "elements", 10: "code", 11: "data", 12: "data count",
}
# The first bytes of the connector's table, its format, and where it says how long it is.
TABLE_MAGIC, TABLE_LENGTH_AT = b"ApiT\x01\0\0\0", 8


def number(data, at):
    """An unsigned LEB128 number, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def sections(data):
    """The sections of a module or component: id, contents, and its size with its head."""
    at = 8
    while at < len(data):
        start, section = at, data[at]
        size, at = number(data, at + 1)
        if at + size > len(data):
            raise ValueError(f"the section at byte {start} is cut off")
        yield section, data[at:at + size], at + size - start
        at += size


def modules(data):
    """Every module within a component, however deep, and how many bytes are around them."""
    found, around = [], 8
    for section, contents, size in sections(data):
        if section in NESTED and contents[:4] == MAGIC:
            around += size - len(contents)
            if contents[4:8] == COMPONENT:
                inner, more = modules(contents)
                found, around = found + inner, around + more
            else:
                found.append(contents)
        else:
            around += size
    return found, around


def table_in(data):
    """How long the table within a data section is; 0 where there is none."""
    at = data.find(TABLE_MAGIC)
    return struct.unpack_from("<I", data, at + TABLE_LENGTH_AT)[0] if at >= 0 else 0


def parts(component):
    """What a component consists of, as names and sizes that add up to it."""
    found, around = modules(component)
    found.sort(key=len, reverse=True)
    rows, other = [], 8
    for section, contents, size in sections(found[0]):
        table = table_in(contents) if section == 11 else 0
        if table:
            rows.append(("data: the table", table))
            size -= table
        if section in (10, 11):
            rows.append((SECTIONS[section] + (": the rest" if table else ""), size))
        else:
            other += size
    rows.append(("the module's other sections", other))
    rows.append((f"{len(found) - 1} adapter modules", sum(len(m) for m in found[1:])))
    rows.append(("types and wiring of the component", around))
    return rows


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], "rb") as file:
        component = file.read()
    if component[:8] != MAGIC + COMPONENT:
        sys.exit(f"{sys.argv[1]} is no component")
    rows = sorted(parts(component), key=lambda row: -row[1])
    total = sum(size for _, size in rows)
    if total != len(component):
        sys.exit(f"the parts add up to {total} bytes, and the component has {len(component)}")
    for name, size in [("the component", total), *rows]:
        print(f"{size:>9,} bytes  {100 * size / LIMIT:5.1f} % of 1 MiB  {name}")
    if total > LIMIT:
        sys.exit(f"the component has {total - LIMIT:,} bytes more than the {LIMIT:,} that it may have")


if __name__ == "__main__":
    main()
