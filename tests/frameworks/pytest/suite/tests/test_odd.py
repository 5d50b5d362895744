import pytest

from support.shared import mark

NAMES = [
    "with  two blanks",
    "it's \"quoted\" `so`",
    "$HOME $(id) ${x} #{y} %s %d",
    "[1] (a|b) {c} * ? ^ .+ \\d \\",
    "first line\nsecond line",
    "🚀 über façade",
    "a/b::c › d, e; f & g | h > /dev/null <i>&amp;</i>",
    "--fail-fast -x",
]


@pytest.mark.parametrize("name", NAMES)
def test_odd(name):
    mark("odd %d" % (NAMES.index(name) + 1))
