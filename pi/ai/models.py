"""References to models: ``provider/model``."""

from __future__ import annotations

from pi.base.errors import UsageError
from pi.base.typing import NamedTuple

DEFAULT_PROVIDER = "openai"


class ModelRef(NamedTuple):
    provider: str  # an alias of the provider table, lower case
    model: str  # the vendor's id, verbatim

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


def parse_model(text: str, flag: str = "--model") -> ModelRef:
    """Split at the first slash; no slash means provider openai.

    Raises UsageError, naming ``flag``, if a part is missing or holds control characters.
    The provider is not looked up here.
    """
    text = text.strip()
    provider, slash, model = text.partition("/")
    if not slash:
        provider, model = DEFAULT_PROVIDER, text
    ref = ModelRef(provider.strip().lower(), model.strip())
    if not ref.provider or not ref.model:
        raise UsageError(
            f"{flag} {text!r}: missing model identifier",
            hint="write provider/model, for example openai/gpt-4o-mini or demo/tour",
        )
    if any(ord(char) < 32 or ord(char) == 127 for char in ref.provider + ref.model):
        raise UsageError(f"{flag} {text!r}: control characters in a model name")
    return ref
