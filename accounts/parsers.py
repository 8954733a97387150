"""JSON bodies of the API: what no answer could be made of is refused at the door."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class StrictJSONParser(JSONParser):
    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            data = super().parse(stream, media_type, dict(parser_context or {}))
            # Half a surrogate pair ("\ud800") is JSON but no text: an answer that quotes it could not be sent.
            json.dumps(data, ensure_ascii=False).encode()
        except RecursionError:
            raise ParseError(_("JSON parse error - nested too deeply")) from None
        except UnicodeEncodeError:
            raise ParseError(_("JSON parse error - half a surrogate pair in a string")) from None
        return data
