"""Writes libnlvc's table of pixel formats from the package's: python -m tools.make_pixel_formats

The package has it from FFmpeg. With `--check` it only tells, by the exit status, whether the file is up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pynlvc.codec.pixel_formats import PIXEL_FORMATS, Component, PixelFormat

TARGET = Path(__file__).resolve().parent.parent / "csrc" / "c_api" / "pixel_format_table.cpp"
LAYOUTS = {"grey": "Layout::kGrey", "yuv": "Layout::kYuv", "rgb": "Layout::kRgb"}

HEAD = """\
// Written by tools/make_pixel_formats.py from FFmpeg's descriptions.
#include "c_api/pixel_formats.h"

namespace nlvc {

// clang-format off
const PixelFormat kPixelFormats[] = {
    // name, layout, depth, sx, sy, alpha, big-endian,
    //     components {plane, step, offset, shift, depth, alone}, padding, planes in memory {step, sx}; counted
"""

TAIL = """\
};
// clang-format on
const int kPixelFormatCount = sizeof(kPixelFormats) / sizeof(kPixelFormats[0]);

}  // namespace nlvc
"""


def braces(values: object) -> str:
    """A C++ initialiser."""
    if isinstance(values, bool):
        return "true" if values else "false"
    if isinstance(values, tuple):
        return "{" + ", ".join(braces(value) for value in values) + "}"
    return str(values)


def few(items: tuple[tuple[object, ...], ...]) -> str:
    """The C++ struct of the same name."""
    return f"{{{len(items)}, {braces(items)}}}"


def component(c: Component) -> tuple[object, ...]:
    """The members of the C++ struct of the same name."""
    return c.plane, c.step, c.offset, c.shift, c.depth, c.alone


def row(form: PixelFormat) -> str:
    """One entry of the table."""
    head = f'"{form.name}", {LAYOUTS[form.layout]}, {form.depth}, {form.sx}, {form.sy}'
    flags = f"{braces(form.alpha)}, {braces(form.big_endian)}"
    components = few(tuple(component(c) for c in form.components))
    padding = "std::nullopt" if form.padding is None else f"Component{braces(component(form.padding))}"
    return f"    {{{head}, {flags},\n     {components}, {padding}, {few(form.memory_planes)}}},\n"


def table() -> str:
    """The whole file."""
    return HEAD + "".join(row(form) for form in PIXEL_FORMATS.values()) + TAIL


def main() -> None:
    if "--check" in sys.argv[1:]:
        sys.exit(TARGET.read_text(encoding="utf-8") != table())
    TARGET.write_text(table(), encoding="utf-8")


if __name__ == "__main__":
    main()
