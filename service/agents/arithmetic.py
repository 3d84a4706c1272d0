"""Arithmetic written as Python writes it, and nothing else of Python: no names, calls or attributes."""

import ast
import math
import operator
from collections.abc import Callable, Mapping

Number = int | float

LENGTH_MAX = 500
EXPONENT_MAX = 1000
BITS_MAX = 4096  # of any result: 1233 digits; more would only cost time

OPERATIONS: Mapping[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
SIGNS: Mapping[type[ast.unaryop], Callable[[Number], Number]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}


class ArithmeticFault(ValueError):
    """Why an expression has no value; fit to be shown."""


def evaluate(expression: str) -> Number:
    """The value of an expression of numbers, + - * / // % ** and parentheses."""
    if len(expression) > LENGTH_MAX:
        raise ArithmeticFault(f"An expression has at most {LENGTH_MAX} characters.")
    try:
        tree = ast.parse(expression.strip(), mode="eval")
        return _value(tree.body)
    except ArithmeticFault:
        raise
    except ZeroDivisionError:
        raise ArithmeticFault("That divides by zero.") from None
    except OverflowError:
        raise ArithmeticFault("The result is too large.") from None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ArithmeticFault(f"This is not arithmetic: {expression}") from None


def _value(node: ast.expr) -> Number:
    match node:
        case ast.Constant(value=bool()):
            raise ArithmeticFault("There are only numbers here.")
        case ast.Constant(value=int() | float() as number):
            return _bounded(number)
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in SIGNS:
            return SIGNS[type(sign)](_value(operand))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _bounded(_power(_value(left), _value(right)))
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in OPERATIONS:
            return _bounded(OPERATIONS[type(operation)](_value(left), _value(right)))
        case _:
            raise ArithmeticFault("Only numbers, + - * / // % ** and parentheses are known here.")


def _power(base: Number, exponent: Number) -> Number:
    if abs(exponent) > EXPONENT_MAX:
        raise ArithmeticFault(f"An exponent is at most {EXPONENT_MAX}.")
    if isinstance(base, int) and base.bit_length() * abs(exponent) > BITS_MAX:
        raise ArithmeticFault("The result is too large.")
    result = base**exponent
    if isinstance(result, complex):
        raise ArithmeticFault("The result is not a real number.")
    return _bounded(result)


def _bounded(number: Number) -> Number:
    too_large = number.bit_length() > BITS_MAX if isinstance(number, int) else math.isinf(number)
    if too_large:
        raise ArithmeticFault("The result is too large.")
    return number
