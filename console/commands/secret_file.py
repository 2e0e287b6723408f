"""Secrets come by a file or by standard input, never as an argument: the list of processes shows those to all."""

import sys
from pathlib import Path

import click


class SecretFile(click.ParamType[str]):
    """An option that names the file of a secret, `-` for standard input; the command gets the secret."""

    name = "file"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The file's text, without the white space around it."""
        try:
            content = sys.stdin.buffer.read() if value == "-" else Path(value).read_bytes()
        except (OSError, ValueError):
            # What was given is not shown: it may be the key itself, by mistake.
            self.fail("there is no such file to read; give the key in a file, or on standard input with -", param, ctx)
        # Editors on Windows write a byte order mark first.
        secret = content.decode("utf-8-sig", "replace").strip()
        if not secret:
            self.fail("the file is empty", param, ctx)
        return secret
