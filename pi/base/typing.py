"""What run-time code needs of ``typing``, without its cost at every start.

To a type checker these are the names of ``typing`` themselves. At run time ``Any``,
``Protocol`` and ``Union`` mean nothing, and ``NamedTuple`` makes the same classes as that of
``typing``, about ten times as fast: a run makes over a hundred of them, and most of the time
of ``collections.namedtuple`` goes into compiling one small function for each.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any as Any
    from typing import NamedTuple as NamedTuple
    from typing import Protocol as Protocol
    from typing import Union as Union
else:
    try:
        # The getter of a field, in C; what ``collections.namedtuple`` uses.
        from _collections import _tuplegetter
    except ImportError:

        def _tuplegetter(index, _doc):
            return property(lambda self: self[index])

    _new = tuple.__new__
    _FunctionType = type(lambda: None)
    _codes = {}  # by number of fields: the code that makes a tuple of so many

    def _code(count):
        names = "".join(f", a{index}" for index in range(count))
        text = f"lambda _cls{names}: _new(_cls, ({names[2:]}{',' if count else ''}))"
        return eval(text, {"_new": _new}).__code__  # the text is ours

    def _constructor(fields, defaults):
        """``__new__`` with these parameter names: the same code with other names."""
        count = len(fields)
        code = _codes.get(count)
        if code is None:
            code = _codes[count] = _code(count)
        code = code.replace(co_name="__new__", co_varnames=("_cls", *fields))
        return _FunctionType(code, {"_new": _new}, "__new__", defaults)

    class _Tuple(tuple):
        """What all such classes have in common."""

        __slots__ = ()
        _fields = ()

        @classmethod
        def _make(cls, iterable):
            made = _new(cls, iterable)
            if len(made) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
            return made

        def _replace(self, /, **changed):
            made = self._make(map(changed.pop, self._fields, self))
            if changed:
                raise TypeError(f"Got unexpected field names: {list(changed)!r}")
            return made

        def _asdict(self):
            return dict(zip(self._fields, self))

        def __repr__(self):
            shown = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self))
            return f"{self.__class__.__name__}({shown})"

        def __getnewargs__(self):
            return tuple(self)

    class _Maker(type):
        """Makes a plain class of the fields that stand in the body of another."""

        def __new__(cls, name, bases, body):
            if not bases:
                return super().__new__(cls, name, bases, body)
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body.pop(field) for field in fields if field in body}
            if fields[len(fields) - len(defaults) :] != tuple(defaults):
                raise TypeError(f"{name}: a field without a default behind one with")
            if any(field.startswith("_") for field in fields) or not fields:
                raise TypeError(f"{name}: fields are names that do not begin with '_'")
            body["__slots__"] = ()
            body["_fields"] = body["__match_args__"] = fields
            body["_field_defaults"] = defaults
            body["__new__"] = _constructor(fields, tuple(defaults.values()))
            for index, field in enumerate(fields):
                body[field] = _tuplegetter(index, None)
            return type(name, (_Tuple,), body)

    class NamedTuple(metaclass=_Maker):
        """The base of a class whose annotated names become the fields of a tuple."""

    class Union:
        """``Union[A, B]`` is ``object``."""

        def __class_getitem__(cls, _item):
            return object

    class Protocol:
        """A base that adds nothing."""

        def __class_getitem__(cls, _item):
            return cls

    Any = object
