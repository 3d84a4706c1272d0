"""An operator's own prices of models: a JSON file, read and checked. What a call costs is agents.prices'."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class Price(BaseModel):
    """Dollars for a million tokens of one model. cached: of input that was cached; None as input."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)

    @property
    def cached_or_input(self) -> float:
        return self.input if self.cached is None else self.cached


def read(file: Path) -> dict[str, Price]:
    """Prices by a model's name. Raises ValueError, which says what is wrong with the file."""
    try:
        return TypeAdapter(dict[str, Price]).validate_json(file.read_bytes())
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from None
