"""`longline completion`: what makes a shell complete our commands and options."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the lines that let a shell complete `longline …` with the Tab key.

    \b
    longline completion bash >> ~/.bashrc
    longline completion zsh >> ~/.zshrc
    longline completion fish > ~/.config/fish/completions/longline.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None, "click knows these three"
    root = click.get_current_context().find_root().command
    click.echo(kind(root, {}, "longline", "_LONGLINE_COMPLETE").source())
