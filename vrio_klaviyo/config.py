"""The environment, read once into frozen settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from environs import EnvValidationError, FileAwareEnv, ValidationError

LOG_LEVELS = ("debug", "info", "warning", "error")


class InvalidSettings(Exception):
    """This process cannot start; `problems` has one sentence for each wrong or missing variable."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """
    What the environment says.

    Shape:  of encryption_keys the first one encrypts, and each one opens. base_url is where people reach the web
            process, without a slash at its end. trusted_proxies is how many proxies of ours stand in front of it.
    """

    database_url: str
    redis_url: str
    secret_key: str
    encryption_keys: tuple[str, ...]
    klaviyo_api_url: str
    vrio_api_url: str
    host: str
    port: int
    web_concurrency: int
    log_level: str
    body_retention_days: int = 30
    row_retention_days: int = 400
    base_url: str = "http://localhost:8080"
    trusted_proxies: int = 0

    @property
    def tls(self) -> bool:
        """Whether people come over TLS."""
        return self.base_url.startswith("https://")


def load() -> Settings:
    """
    The settings of this process. Each variable may be given as NAME_FILE too: the path of a file that holds it.

    Raises: InvalidSettings with every problem at once, one sentence each; no value stands in it.
    """
    env = _environment()
    # A value that cannot be read is None until `_seal` raises.
    read: dict[str, Any] = dict(  # noqa: C408 (names as in Settings)
        database_url=_database_url(env),
        redis_url=_redis_url(env),
        secret_key=env.str("SECRET_KEY", validate=_filled),
        encryption_keys=env.list("ENCRYPTION_KEYS", validate=_fernet_keys),
        klaviyo_api_url=env.str("KLAVIYO_API_URL", "https://a.klaviyo.com", validate=_url("http", "https")),
        vrio_api_url=env.str("VRIO_API_URL", "https://api.vrio.app", validate=_url("http", "https")),
        host=env.str("HOST", "0.0.0.0", validate=_filled),
        port=env.int("PORT", 8080, validate=_port),
        web_concurrency=env.int("WEB_CONCURRENCY", 1, validate=_positive),
        log_level=env.str("LOG_LEVEL", "info", validate=_log_level),
        body_retention_days=env.int("BODY_RETENTION_DAYS", 30, validate=_positive),
        row_retention_days=env.int("ROW_RETENTION_DAYS", 400, validate=_positive),
        base_url=env.str("BASE_URL", "", validate=_url_or_nothing),
        trusted_proxies=env.int("TRUSTED_PROXIES", 0, validate=_not_negative),
    )
    _seal(env)
    read["base_url"] = (read["base_url"] or f"http://localhost:{read['port']}").rstrip("/")
    return Settings(**read | {"encryption_keys": tuple(read["encryption_keys"])})


def load_database_url() -> str:
    """
    Where the database is: all that a migration needs to know.

    Raises: InvalidSettings.
    """
    env = _environment()
    url = _database_url(env)
    _seal(env)
    return url


def load_redis_url() -> str:
    """
    Where Redis is.

    Raises: InvalidSettings.
    """
    env = _environment()
    url = _redis_url(env)
    _seal(env)
    return url


class _Environment(FileAwareEnv):
    """Tells of a file that cannot be read together with all other problems; environs would stop there."""

    def _get_value(self, env_key: str, default: Any) -> Any:
        try:
            return super()._get_value(env_key, default)
        except ValueError:
            self._errors[env_key].append(f"The file that {env_key}_FILE names cannot be read.")
            return default


def _environment() -> FileAwareEnv:
    return _Environment(eager=False, strip_whitespace=True)


def _database_url(env: FileAwareEnv) -> str:
    known = _url("sqlite", "postgresql", "postgresql+psycopg")
    return env.str("DATABASE_URL", "sqlite:///var/vrio_klaviyo.db", validate=known)


def _redis_url(env: FileAwareEnv) -> str:
    return env.str("REDIS_URL", "redis://127.0.0.1:6379/0", validate=_url("redis", "rediss", "unix"))


def _seal(env: FileAwareEnv) -> None:
    try:
        env.seal()
    except EnvValidationError as error:
        messages = cast("Mapping[str, list[str]]", error.error_messages)
        raise InvalidSettings([f"{name}: {' '.join(problems)}" for name, problems in messages.items()]) from None


def _filled(text: str) -> None:
    if not text.strip():
        raise ValidationError("It is empty.")


def _url(*schemes: str) -> Callable[[str], None]:
    def check(text: str) -> None:
        try:
            parts = urlsplit(text)
        except ValueError:
            raise ValidationError("It is no URL.") from None
        if parts.scheme not in schemes:
            raise ValidationError(f"It must be a URL that begins with {' or '.join(f'{name}://' for name in schemes)}.")
        if parts.scheme in ("http", "https") and not parts.hostname:
            raise ValidationError("It names no host.")

    return check


def _url_or_nothing(text: str) -> None:
    if text:
        _url("http", "https")(text)


def _port(number: int) -> None:
    if not 1 <= number <= 65535:
        raise ValidationError("It must be a port number, 1 to 65535.")


def _positive(number: int) -> None:
    if number < 1:
        raise ValidationError("It must be 1 or more.")


def _not_negative(number: int) -> None:
    if number < 0:
        raise ValidationError("It must be 0 or more.")


def _log_level(text: str) -> None:
    if text not in LOG_LEVELS:
        raise ValidationError(f"It must be one of {', '.join(LOG_LEVELS)}.")


def _fernet_keys(keys: list[str]) -> None:
    if not keys:
        raise ValidationError("It is empty; `flask key generate` makes a key.")
    for place, key in enumerate(keys, 1):
        try:
            Fernet(key)
        except ValueError:
            message = f"Key {place} is no Fernet key (32 bytes in URL-safe base 64); `flask key generate` makes one."
            raise ValidationError(message) from None
