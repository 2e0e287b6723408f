"""The environment: what stands when nothing is said, and every mistake at once without a value in it."""

from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from vrio_klaviyo import config
from vrio_klaviyo.config import InvalidSettings
from vrio_klaviyo.store.crypto import Vault

ONE, TWO = (urlsafe_b64encode(letter * 32).decode() for letter in (b"1", b"2"))
NAMES = [
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "ENCRYPTION_KEYS",
    "KLAVIYO_API_URL",
    "VRIO_API_URL",
    "HOST",
    "PORT",
    "WEB_CONCURRENCY",
    "LOG_LEVEL",
    "BASE_URL",
    "TRUSTED_PROXIES",
]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.setenv("SECRET_KEY", "a secret")
    monkeypatch.setenv("ENCRYPTION_KEYS", ONE)
    return monkeypatch


def problems() -> list[str]:
    with pytest.raises(InvalidSettings) as refused:
        config.load()
    return refused.value.problems


def test_all_but_the_secrets_has_a_working_default() -> None:
    settings = config.load()

    assert settings.database_url == "sqlite:///var/vrio_klaviyo.db"
    assert settings.redis_url == "redis://127.0.0.1:6379/0"
    assert settings.klaviyo_api_url == "https://a.klaviyo.com"
    assert settings.vrio_api_url == "https://api.vrio.app"
    assert (settings.host, settings.port, settings.web_concurrency) == ("0.0.0.0", 8080, 1)
    assert settings.log_level == "info"
    assert (settings.base_url, settings.tls, settings.trusted_proxies) == ("http://localhost:8080", False, 0)
    assert (settings.secret_key, settings.encryption_keys) == ("a secret", (ONE,))


def test_people_come_to_the_port_that_is_listened_on_unless_told_otherwise(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PORT", "9090")
    assert config.load().base_url == "http://localhost:9090"

    environment.setenv("BASE_URL", "https://console.example.com/")
    settings = config.load()
    assert (settings.base_url, settings.tls) == ("https://console.example.com", True)


@pytest.mark.parametrize(
    "keys", [f"{ONE},{TWO}", f" {ONE} , {TWO} ", f"{ONE},\n{TWO}\n"], ids=["bare", "spaced", "lines"]
)
def test_of_several_encryption_keys_the_first_stays_the_first(environment: pytest.MonkeyPatch, keys: str) -> None:
    environment.setenv("ENCRYPTION_KEYS", keys)

    vault = Vault(config.load().encryption_keys)
    assert Vault([ONE]).unseal(vault.seal("secret", "ws", "cn"), "ws", "cn") == "secret"
    assert vault.unseal(Vault([TWO]).seal("secret", "ws", "cn"), "ws", "cn") == "secret"


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("DATABASE_URL", "mysql://root:hunter2@db/vrio", "sqlite://"),
        ("DATABASE_URL", "hunter2", "sqlite://"),
        ("DATABASE_URL", "", "sqlite://"),
        ("DATABASE_URL", "postgresql://vrio:hunter2@[db/vrio", "URL"),
        ("REDIS_URL", "http://:hunter2@cache", "redis://"),
        ("SECRET_KEY", "", "empty"),
        ("SECRET_KEY", "   ", "empty"),
        ("ENCRYPTION_KEYS", "", "flask key generate"),
        ("ENCRYPTION_KEYS", "hunter2", "Key 1 is no Fernet key"),
        ("ENCRYPTION_KEYS", f"{ONE},hunter2", "Key 2 is no Fernet key"),
        ("ENCRYPTION_KEYS", f"{ONE},", "Key 2 is no Fernet key"),
        ("KLAVIYO_API_URL", "a.klaviyo.com", "https://"),
        ("KLAVIYO_API_URL", "https://", "host"),
        ("VRIO_API_URL", "ftp://hunter2@vrio", "https://"),
        ("HOST", "", "empty"),
        ("PORT", "hunter2", "integer"),
        ("PORT", "0", "1 to 65535"),
        ("PORT", "65536", "1 to 65535"),
        ("PORT", "", "integer"),
        ("WEB_CONCURRENCY", "0", "1 or more"),
        ("LOG_LEVEL", "loud", "debug, info, warning, error"),
    ],
)
def test_a_wrong_value_is_told_and_not_quoted(
    environment: pytest.MonkeyPatch, name: str, value: str, complaint: str
) -> None:
    environment.setenv(name, value)

    (problem,) = problems()
    assert problem.startswith(f"{name}: ")
    assert complaint in problem
    assert "hunter2" not in problem


@pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEYS"])
def test_a_missing_secret_is_told(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)

    (problem,) = problems()
    assert problem.startswith(f"{name}: ")


def test_all_problems_are_told_at_once(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("SECRET_KEY")
    environment.setenv("ENCRYPTION_KEYS", "hunter2")
    environment.setenv("PORT", "http")
    environment.setenv("DATABASE_URL", "oracle://hunter2")

    told = problems()
    assert {problem.partition(":")[0] for problem in told} == {"SECRET_KEY", "ENCRYPTION_KEYS", "PORT", "DATABASE_URL"}
    assert all(len(problem.splitlines()) == 1 for problem in told)


def test_a_value_may_stand_in_a_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = tmp_path / "keys"
    kept.write_text(f"{ONE},{TWO}\n")
    environment.delenv("ENCRYPTION_KEYS")
    environment.setenv("ENCRYPTION_KEYS_FILE", str(kept))
    port = tmp_path / "port"
    port.write_text("9000\n")
    environment.setenv("PORT_FILE", str(port))

    settings = config.load()
    assert settings.encryption_keys == (ONE, TWO)
    assert settings.port == 9000


def test_a_file_that_is_not_there_is_one_more_problem(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.delenv("SECRET_KEY")
    environment.setenv("SECRET_KEY_FILE", str(tmp_path / "hunter2"))
    environment.setenv("PORT", "http")

    told = problems()
    assert {problem.partition(":")[0] for problem in told} == {"SECRET_KEY", "PORT"}
    assert "SECRET_KEY_FILE names cannot be read" in told[0]
    assert not any("hunter2" in problem for problem in told)


def test_a_file_that_is_not_there_does_not_leave_the_default_standing(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("DATABASE_URL_FILE", str(tmp_path / "hunter2"))

    assert problems() == ["DATABASE_URL: The file that DATABASE_URL_FILE names cannot be read."]


def test_a_file_that_is_no_text_is_told(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    environment.setenv("SECRET_KEY_FILE", str(tmp_path / "key"))

    assert "SECRET_KEY_FILE names cannot be read" in problems()[0]


def test_a_migration_needs_to_know_only_where_the_database_is(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("SECRET_KEY")
    environment.delenv("ENCRYPTION_KEYS")
    environment.setenv("DATABASE_URL", "postgresql+psycopg://vrio@db/vrio")

    assert config.load_database_url() == "postgresql+psycopg://vrio@db/vrio"
    environment.setenv("DATABASE_URL", "mysql://db/vrio")
    with pytest.raises(InvalidSettings):
        config.load_database_url()


def test_how_long_things_are_kept_is_a_setting(environment: pytest.MonkeyPatch) -> None:
    settings = config.load()
    assert (settings.body_retention_days, settings.row_retention_days) == (30, 400)
    environment.setenv("BODY_RETENTION_DAYS", "7")
    environment.setenv("ROW_RETENTION_DAYS", "90")
    settings = config.load()
    assert (settings.body_retention_days, settings.row_retention_days) == (7, 90)
    environment.setenv("ROW_RETENTION_DAYS", "0")

    assert problems() == ["ROW_RETENTION_DAYS: It must be 1 or more."]
