"""Names in the module `operator` that both sides of the channel know."""

COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
ARITHMETIC = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul",
    "and_", "or_", "xor", "lshift", "rshift",
)  # fmt: skip
UNARY = ("neg", "pos", "abs", "invert")
CONTENT = ("getitem", "setitem", "delitem", "contains")
