"""Frozen dataclasses whose methods are not compiled: a command loads many of them."""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from typing import Any, NoReturn, TypeVar, dataclass_transform

__all__ = ["frozen"]

Class = TypeVar("Class", bound=type)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: Class) -> Class:
    """Make of a class what `dataclass(frozen=True)` makes of it; `fields` and `replace` know it.

    That one writes and compiles six methods for each class, which costs ten times what is done
    here, and in all a tenth of a plan: here all classes have the same methods.
    """
    made: Any = dataclass(init=False, repr=False, eq=False)(cls)
    made.__defaults__ = {
        each.name: each for each in fields(made) if each.default_factory is not each.default
    }
    own = vars(cls)
    for name, method in _METHODS.items():
        if name not in own:
            setattr(made, name, method)
    return cls


def _init(self: Any, /, *values: Any, **named: Any) -> None:
    names, defaults = self.__match_args__, self.__defaults__
    state = self.__dict__
    state.update(zip(names, values, strict=False), **named)
    given = len(state)
    if given < len(names):
        for name in defaults.keys() - state.keys():
            each = defaults[name]
            state[name] = each.default if each.default is not MISSING else each.default_factory()
    if given < len(values) + len(named) or len(state) != len(names) or named.keys() - names:
        wrong = [name for name in named if name not in names[len(values) :]]
        lacking = [name for name in names if name not in state]
        raise TypeError(
            f"{type(self).__name__}: {len(values)} values for {len(names)} fields; "
            f"unknown or twice: {wrong}; missing: {lacking}"
        )


def _values(value: Any) -> tuple[Any, ...]:
    return tuple(getattr(value, name) for name in value.__match_args__)


def _repr(self: Any) -> str:
    told = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
    return f"{type(self).__qualname__}({told})"


def _eq(self: Any, other: object) -> bool:
    return _values(self) == _values(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _setattr(_: Any, name: str, __: Any) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(_: Any, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


_METHODS = {
    "__init__": _init,
    "__repr__": _repr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__setattr__": _setattr,
    "__delattr__": _delattr,
}
