"""The composition root: `wsgi:app` for any WSGI server, `wsgi:front` for ours, and what the `flask` command finds."""

import os
import sys
from functools import cache
from typing import Any

import click
from flask import Flask
from flask.cli import FlaskGroup

from console import commands
from console.commands.desk import Desk, Verb, at_desk
from sandbox import commands as playground
from vrio_klaviyo import config, log

# Requests wait for the database's disk, and on SQLite for who writes; as many as wait are written together then.
WEB_THREADS = 16


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
    for process in processes():
        app.cli.add_command(process)
    ctx = click.get_current_context(silent=True)
    if ctx is not None and isinstance(ctx.command, FlaskGroup):
        # Who looks for a command of ours waits for no page. Flask's own, such as `flask routes`, come with a context of
        # their own.
        return app
    try:
        settings = config.load()
    except config.InvalidSettings:
        if ctx is None:
            raise
        return app
    _add_routes(app, settings)
    return app


def _add_routes(app: Flask, settings: config.Settings) -> None:
    # Imported late: the commands would pay for it.
    from werkzeug.middleware.proxy_fix import ProxyFix

    from console import api, pages, probes, site
    from webhooks import vrio
    from webhooks.front import ByPath
    from workers.bells import Ringer
    from workers.tools import Tools, utc_now

    log.configure(settings.log_level)
    app.secret_key = settings.secret_key
    tools = Tools(settings)
    # What the console does around each of its requests is no business of a webhook, which has to be quick.
    receiving = Flask("webhooks", static_folder=None)
    receiving.register_blueprint(vrio.blueprint(vrio.Receiver(tools.db, Ringer(tools.bells.ring).ring, utc_now)))
    app.wsgi_app = ByPath("/webhooks/", receiving, app.wsgi_app)  # type: ignore[method-assign]
    app.register_blueprint(probes.blueprint(tools.db, tools.bells, utc_now))
    tools_of_pages = site.Site(
        settings=settings,
        db=tools.db,
        vault=tools.vault,
        http=tools.http,
        bells=tools.bells,
        now=utc_now,
        limiter=site.limiter(settings.redis_url),
    )
    pages.register(app, tools_of_pages)
    api.register(app, tools_of_pages)
    if settings.trusted_proxies:
        # Else anybody could say that they are somebody else.
        app.wsgi_app = ProxyFix(app.wsgi_app, settings.trusted_proxies, settings.trusted_proxies)  # type: ignore[method-assign]


def processes() -> tuple[click.Command, ...]:
    """The commands that run until they are told to stop."""
    return _web, _worker, _clock


def __getattr__(name: str) -> Any:
    # Made when it is asked for: importing this file must not need settings.
    if name == "app":
        return create_app()
    if name == "front":
        from webhooks.front import Front

        return Front(create_app(), WEB_THREADS)
    raise AttributeError(name)


@click.command("web", cls=Verb)
@at_desk
def _web(desk: Desk) -> None:
    """Receive webhooks and answer the console, on HOST and PORT."""
    settings = desk.ready()
    command = [sys.executable, "-m", "granian", "--interface", "rsgi", "wsgi:front"]
    command += ["--host", settings.host, "--port", str(settings.port), "--log-level", "warning"]
    command += ["--workers", str(settings.web_concurrency)]
    command += ["--respawn-failed-workers", "--workers-kill-timeout", "8"]
    # The web server takes this process's place, so that a signal sent to it reaches the server.
    os.execv(sys.executable, command)


@click.command("worker", cls=Verb)
@at_desk
def _worker(desk: Desk) -> None:
    """Work off what came in, and send what is owed."""
    from workers import worker

    desk.ready()
    worker.run()


@click.command("clock", cls=Verb)
@at_desk
def _clock(desk: Desk) -> None:
    """Ring for whatever is stranded or due."""
    from workers.clock import Clock
    from workers.tools import Tools

    Clock(Tools(desk.ready())).run()
