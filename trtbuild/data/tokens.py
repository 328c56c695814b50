"""A tokenizer and what a model takes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.core.options import Location, NonEmpty, Options
from trtbuild.core.regular_files import read_regular
from trtbuild.core.words import quote_whole
from trtbuild.data.extras import load_extra

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Tokens", "load_tokenizer"]

Part = Literal["input_ids", "attention_mask", "token_type_ids"]
ALL: dict[str, Part] = {
    "input_ids": "input_ids",
    "attention_mask": "attention_mask",
    "token_type_ids": "token_type_ids",
}
USUAL_PADDING = ("[PAD]", "<pad>", "<|endoftext|>", "</s>")
USUAL_UNKNOWN = ("[UNK]", "<unk>")
MOST_BYTES = 256 << 20


def load_tokenizer(path: Path) -> Any:
    """Return a tokenizer of the package `tokenizers`.

    Raises:
        MissingDependency: the package is not installed.
        StepInputError: the file is no tokenizer.
    """
    library = load_extra("tokenizers", "text")
    try:
        text = read_regular(path, most_bytes=MOST_BYTES).decode()
        return library.Tokenizer.from_str(text)
    except MissingFile as error:
        raise StepInputError(error.message, hint="is it still there?") from None
    except Exception as error:  # noqa: BLE001  # the library raises plain Exceptions
        raise StepInputError(
            f"{path}: is no tokenizer: {quote_whole(str(error))}",
            hint="give the tokenizer.json that lies beside the model",
        ) from None


class Tokens(Options):
    """How texts become numbers."""

    tokenizer: Location
    """The `tokenizer.json` (of Hugging Face's `tokenizers`) that the model was trained with, or the
    folder it lies in; relative to the recipe. What it says of padding and truncation is not done:
    `max_length` and `padding` say it here. Numbers beyond the model's vocabulary show when it is
    run: a tokenizer and a model belong together."""
    max_length: Annotated[int, Field(gt=0)] | None = None
    """The most tokens of a sample, special ones included; what is longer is cut at the end, of a
    pair the longer text first. By default nothing is cut."""
    padding: Literal["none", "max_length"] = "none"
    """`max_length` fills each sample up to it, behind the text, as a model of one fixed length
    needs; by default each has its own length."""
    pad_token: NonEmpty | None = None
    """The token that fills up; by default what the tokenizer says, or `[PAD]`, `<pad>`,
    `<|endoftext|>`, `</s>`, whichever it has first."""
    special_tokens: bool = True
    """Whether the tokenizer adds its own, as `[CLS]` and `[SEP]`."""
    inputs: Annotated[dict[NonEmpty, Part], Field(min_length=1)] = ALL
    """What each model input takes: `input_ids`, `attention_mask` (1 for a token, 0 for padding) or
    `token_type_ids` (1 in the second text of a pair). By default all three, by these names; leave
    out what the model has not: `{input_ids: input_ids, attention_mask: attention_mask}`."""
    dtype: Literal["int64", "int32"] = "int64"
    """As the model takes them."""

    @model_validator(mode="after")
    def _padding_has_a_length(self) -> Self:
        if self.padding != "none" and self.max_length is None:
            raise ValueError("`padding: max_length` needs `max_length`: to how many tokens")
        return self

    def open_tokenizer(
        self, path: Path, *, pairs: bool = False
    ) -> Callable[[tuple[str, ...], str], dict[str, np.ndarray]]:
        """Return what makes arrays of one text, or of `pairs`; and takes its name for messages.

        Raises:
            MissingDependency: the package `tokenizers` is not installed.
            StepInputError: the file is no tokenizer, or has no such token.
        """
        tokenizer = load_tokenizer(path)
        self._set_up(tokenizer, path, pairs=pairs)

        def tokenize(texts: tuple[str, ...], name: str) -> dict[str, np.ndarray]:
            try:
                found = tokenizer.encode(*texts, add_special_tokens=self.special_tokens)
            except Exception as error:  # noqa: BLE001  # as above: a word it does not know
                told = quote_whole(str(error))
                raise StepInputError(f"{name}: cannot be tokenized: {told}") from None
            return self._collect(found, name)

        return tokenize

    def _set_up(self, tokenizer: Any, path: Path, *, pairs: bool) -> None:
        own = tokenizer.padding or {}
        tokenizer.no_padding()
        tokenizer.no_truncation()
        if self.max_length is not None:
            special = tokenizer.num_special_tokens_to_add(pairs) if self.special_tokens else 0
            if self.max_length <= special:
                raise StepInputError(
                    f"{path}: `max_length: {self.max_length}` leaves no room for text: the "
                    f"tokenizer adds {special} tokens",
                    hint="raise `max_length`, or set `special_tokens: false`",
                )
            tokenizer.enable_truncation(self.max_length)
        if self.padding == "none":
            return
        names = (self.pad_token,) if self.pad_token else (own.get("pad_token"), *USUAL_PADDING)
        token = next(
            (each for each in names if each and tokenizer.token_to_id(each) is not None), ""
        )
        if not token:
            told = (
                f"has no token `{self.pad_token}`" if self.pad_token else "has no token for padding"
            )
            raise StepInputError(f"{path}: {told}", hint="name one that it has: `pad_token`")
        kind = own.get("pad_type_id", 0)
        number = tokenizer.token_to_id(token)
        tokenizer.enable_padding(
            length=self.max_length, pad_id=number, pad_token=token, pad_type_id=kind
        )

    def _collect(self, found: Any, name: str) -> dict[str, np.ndarray]:
        import numpy as np

        parts = {
            "input_ids": found.ids,
            "attention_mask": found.attention_mask,
            "token_type_ids": found.type_ids,
        }
        if not found.ids:
            raise StepInputError(
                f"{name}: the tokenizer makes nothing of it", hint="take the line out"
            )
        return {key: np.array(parts[part], self.dtype) for key, part in sorted(self.inputs.items())}
