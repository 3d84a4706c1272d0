"""Settings for a command, or exit 2 with the variable that is wrong."""

import click
from pydantic import ValidationError

from service import config
from service.config import Settings


class BadSettings(click.ClickException):
    """The environment does not fit. Exits like a wrong option does."""

    exit_code = 2


def settings() -> Settings:
    try:
        return config.load()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        variable = name if name.isupper() else f"LONGLINE_{name.upper()}"
        raise BadSettings(f"{variable}: {first['msg']}") from None
