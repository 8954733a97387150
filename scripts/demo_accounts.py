"""Creates the demo's accounts from JSON on standard input; passwords are no business of a command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def main() -> None:
    django.setup()
    from django.contrib.auth import get_user_model

    for person in json.load(sys.stdin):
        is_admin = person["role"] == "admin"
        user, _created = get_user_model().objects.get_or_create(username=person["username"])
        user.is_staff = user.is_superuser = is_admin
        user.set_password(person["password"])
        user.save()


if __name__ == "__main__":
    main()
