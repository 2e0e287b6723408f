"""The composition root: `wsgi:app` for any WSGI server, `wsgi:front` for ours, and what the `flask` command finds."""

import os
import sys
from functools import cache

import click
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from console import api, commands, pages, probes, site
from console.commands.desk import Desk, Verb, at_desk
from sandbox import commands as playground
from vrio_klaviyo import config, log
from webhooks import vrio
from webhooks.front import ByPath, Front
from workers import worker
from workers.bells import Ringer
from workers.clock import Clock
from workers.tools import Tools, utc_now

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
    try:
        settings = config.load()
    except config.InvalidSettings:
        if click.get_current_context(silent=True) is None:
            raise
        return app
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
    return app


def processes() -> tuple[click.Command, ...]:
    """The commands that run until they are told to stop."""
    return _web, _worker, _clock


def __getattr__(name: str) -> Flask | Front:
    # Made when it is asked for: importing this file must not need settings.
    if name == "app":
        return create_app()
    if name == "front":
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
    desk.ready()
    worker.run()


@click.command("clock", cls=Verb)
@at_desk
def _clock(desk: Desk) -> None:
    """Ring for whatever is stranded or due."""
    Clock(Tools(desk.ready())).run()
