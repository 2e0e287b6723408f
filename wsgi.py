"""The composition root: `wsgi:app` for a web server, and what the `flask` command finds."""

import os
import sys
from functools import cache

import click
from flask import Flask

from console import commands
from console.commands.desk import Desk, Verb, at_desk
from console.pages import health
from sandbox import commands as playground
from vrio_klaviyo import config, log
from webhooks import vrio
from workers import worker
from workers.clock import Clock
from workers.tools import Tools, utc_now

# Requests wait for the database's disk more than for the processor; more threads than these only wait for each other.
WEB_THREADS = 2 * (os.cpu_count() or 1) + 1


@cache
def create_app() -> Flask:
    """
    The product: its commands, and its routes.

    Raises: InvalidSettings, but not in the `flask` command: some of its commands need no settings, and the others say
            themselves what is missing.
    """
    app = Flask("vrio_klaviyo", static_folder=None)
    commands.register(app)
    playground.register(app)
    for process in (_web, _worker, _clock):
        app.cli.add_command(process)
    try:
        settings = config.load()
    except config.InvalidSettings:
        if click.get_current_context(silent=True) is None:
            raise
        return app
    log.configure(settings.log_level)
    app.secret_key = settings.secret_key
    tools = Tools(settings)
    app.register_blueprint(vrio.blueprint(vrio.Receiver(tools.db, tools.bells.ring, utc_now)))
    app.register_blueprint(health.blueprint(tools.db, tools.bells, utc_now))
    return app


def __getattr__(name: str) -> Flask:
    # Made when it is asked for: importing this file must not need settings.
    if name == "app":
        return create_app()
    raise AttributeError(name)


@click.command("web", cls=Verb)
@at_desk
def _web(desk: Desk) -> None:
    """Receive webhooks and answer the console, on HOST and PORT."""
    settings = desk.ready()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "wsgi:app"]
    command += ["--host", settings.host, "--port", str(settings.port), "--log-level", "warning"]
    command += ["--workers", str(settings.web_concurrency), "--blocking-threads", str(WEB_THREADS)]
    command += ["--respawn-failed-workers", "--workers-kill-timeout", "8"]
    # The web server takes this process's place, so that a signal sent to it reaches the server.
    os.execv(sys.executable, command)


@click.command("worker", cls=Verb)
@at_desk
def _worker(desk: Desk) -> None:
    """Work off what came in, and send what is owed."""
    desk.ready()
    worker.run()


@click.command("clock", cls=Verb)
@at_desk
def _clock(desk: Desk) -> None:
    """Ring for whatever is stranded or due."""
    Clock(Tools(desk.ready())).run()
