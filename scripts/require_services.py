"""Says in one line which of the servers that DATABASE_URL and REDIS_URL name does not answer; exit 1 then."""

from __future__ import annotations

import os
import sys

import psycopg2
import redis


def main() -> int:
    missing = []
    try:
        psycopg2.connect(os.environ["DATABASE_URL"], connect_timeout=5).close()
    except psycopg2.OperationalError as error:
        missing.append(f"Postgres (DATABASE_URL): {str(error).splitlines()[0]}")
    try:
        redis.Redis.from_url(os.environ["REDIS_URL"], socket_connect_timeout=5).ping()
    except redis.ConnectionError as error:
        missing.append(f"Redis (REDIS_URL): {error}")
    if missing:
        print(f"CI needs both servers; not reachable: {'; '.join(missing)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
