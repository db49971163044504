"""The stores: connecting to one, and its records as they lie there."""

import socket
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

from flask_sqlalchemy import SQLAlchemy
from pymemcache.client.base import PooledClient
from pymongo import MongoClient
from redis import Redis
from sqlalchemy import text

HOUR = 3600


def connect(app, settings):
    return STORES[settings["SESSION_TYPE"]](app, settings["URL"])


class InRedis:
    def __init__(self, app, url):
        self.client = app.config["SESSION_REDIS"] = Redis.from_url(url)

    def read(self, key):
        return self.client.get(key)

    def write(self, key, value):
        self.client.set(key, value, ex=HOUR)

    def time_left(self, key):
        left = self.client.pttl(key)
        return left / 1000 if left >= 0 else None


class InMemcached:
    def __init__(self, app, url):
        address = urlsplit(url)
        self.address = (address.hostname, address.port)
        # By default, the client does not wait until a session is written.
        self.client = PooledClient(self.address, default_noreply=False)
        app.config["SESSION_MEMCACHED"] = self.client

    def read(self, key):
        return self.client.get(key)

    def write(self, key, value):
        self.client.set(key, value, HOUR)

    def time_left(self, key):
        with socket.create_connection(self.address) as connection:
            connection.sendall(f"mg {key} t\r\n".encode())
            answer = connection.makefile().readline().strip()
        return float(answer.removeprefix("HD t")) if answer != "EN" else None


class InMongoDb:
    def __init__(self, app, url):
        client = app.config["SESSION_MONGODB"] = MongoClient(url)
        database = app.config.get("SESSION_MONGODB_DB", "flask_session")
        self.documents = client[database][app.config.get("SESSION_MONGODB_COLLECT", "sessions")]

    def read(self, key):
        found = self.documents.find_one({"id": key})
        return found and bytes(found["val"])

    def write(self, key, value):
        fields = {"val": value, "expiration": now() + timedelta(seconds=HOUR)}
        self.documents.update_one({"id": key}, {"$set": fields}, upsert=True)

    def time_left(self, key):
        found = self.documents.find_one({"id": key})
        return found and (found["expiration"] - now()).total_seconds()


class InSql:
    DRIVERS = {"postgres": "postgresql+psycopg2", "mysql": "mysql+pymysql", "sqlite": "sqlite"}

    def __init__(self, app, url):
        scheme, rest = url.split(":", 1)
        app.config["SQLALCHEMY_DATABASE_URI"] = f"{self.DRIVERS[scheme]}:{rest}"
        self.app = app
        self.database = app.config["SESSION_SQLALCHEMY"] = SQLAlchemy(app)
        schema = app.config.get("SESSION_SQLALCHEMY_SCHEMA")
        table = app.config.get("SESSION_SQLALCHEMY_TABLE", "sessions")
        self.table = f"{schema}.{table}" if schema else table

    def read(self, key):
        data = self.field("data", key)
        return bytes(data) if data is not None else None

    def write(self, key, value):
        fields = {"key": key, "data": value, "expiry": now() + timedelta(seconds=HOUR)}
        delete = f"DELETE FROM {self.table} WHERE session_id = :key"
        insert = f"INSERT INTO {self.table} (session_id, data, expiry) VALUES (:key, :data, :expiry)"
        with self.database.engine.begin() as connection:
            connection.execute(text(delete), {"key": key})
            connection.execute(text(insert), fields)

    def time_left(self, key):
        expiry = self.field("expiry", key)
        if isinstance(expiry, str):
            expiry = datetime.fromisoformat(expiry)
        return (expiry - now()).total_seconds() if expiry is not None else None

    def field(self, name, key):
        select = text(f"SELECT {name} FROM {self.table} WHERE session_id = :key")
        with self.database.engine.connect() as connection:
            return connection.execute(select, {"key": key}).scalar()


def now():
    """The time in UTC, without saying so, as Flask-Session writes it."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


STORES = {
    "redis": InRedis,
    "memcached": InMemcached,
    "mongodb": InMongoDb,
    "sqlalchemy": InSql,
}
