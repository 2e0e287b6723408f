"""`python -m sandbox.vrio`"""

from sandbox.vrio.command import vrio_command

vrio_command(prog_name="python -m sandbox.vrio")
