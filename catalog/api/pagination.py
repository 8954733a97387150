"""How the API pages its lists: {"count", "next", "previous", "results"}."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.serializers import ValidationError


class StandardPagination(PageNumberPagination):
    """``page`` from 1 and ``page_size`` up to 100; a value that is no such number is an error, not a guess.

    A page beyond the last is 404, as the list may have been longer a moment ago.
    """

    page_size = 25
    page_size_query_param = "page_size"
    max_page_size = 100

    def get_page_number(self, request: Request, paginator: Any) -> int:
        return _whole_number(request, "page", 1, None)

    def get_page_size(self, request: Request) -> int:
        return _whole_number(request, "page_size", self.page_size, self.max_page_size)


def _whole_number(request: Request, name: str, default: int, maximum: int | None) -> int:
    text = request.query_params.get(name, str(default))
    # Nine digits are more pages than any list has, and int() of a very long text is refused.
    number = int(text) if text.isdecimal() and len(text) <= 9 else 0
    if number < 1 or (maximum is not None and number > maximum):
        wanted = _("a whole number from 1") if maximum is None else _("a whole number from 1 to %d") % maximum
        raise ValidationError({name: _("“%(value)s” is not %(wanted)s.") % {"value": text[:40], "wanted": wanted}})
    return number
