"""Small files in every layout, and the import of them as a person runs it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from django.core.management import call_command

from catalog.models import Anime, Franchise, Synonym

HEADER_2016 = "anime_id,name,genre,type,episodes,rating,members"
HEADER_SNAPSHOT = (
    HEADER_2016 + ",title_english,title_japanese,synonyms,year,season,aired_from,studios,source,age_rating,"
    "franchise_order,is_adult"
)
HEADER_2020 = (
    "MAL_ID,Name,Score,Genres,English name,Japanese name,Type,Episodes,Aired,Premiered,Producers,Licensors,Studios,"
    "Source,Duration,Rating,Ranked,Popularity,Members"
)
HEADER_TV = (
    "mal_id,title,title_english,title_japanese,title_synonyms,year,season,score,members,episodes,type,status,duration,"
    "rating,source,aired_from,aired_to,is_hentai,studios,genres,themes,demographics,synopsis_short"
)
HEADER_SYNOPSES = "MAL_ID,Name,Score,Genres,sypnopsis"
BEBOP_2016 = '1,Cowboy Bebop,"Action, Space",TV,26,8.82,486824'


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def run(path: Path, **options: Any) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("import_catalog", str(path), stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def state() -> dict[str, Any]:
    """Everything stored, with the time of the last change: equal states mean that nothing was written."""
    return {
        "anime": list(Anime.objects.order_by("pk").values()),
        "genres": sorted(Anime.genres.through.objects.values_list("anime_id", "genre__name", "genre__kind")),
        "studios": sorted(Anime.studios.through.objects.values_list("anime_id", "studio__name")),
        "synonyms": sorted(Synonym.objects.values_list("anime_id", "title")),
        "franchises": sorted(Franchise.objects.values_list("pk", "name")),
    }
