"""
`python -m sandbox.klaviyo`
"""

from sandbox.klaviyo.command import klaviyo_command

klaviyo_command(prog_name="python -m sandbox.klaviyo")
