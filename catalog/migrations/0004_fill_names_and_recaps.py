"""The names of the titles that are there already, and which of these are recaps."""

from itertools import islice

from django.db import migrations

from catalog.folding import FOLDED_CHARS, SQUEEZED_CHARS, folded, squeezed, words_of
from catalog.recaps import looks_like_recap

BATCH_TITLES = 500


def fill(apps, schema_editor):
    Anime = apps.get_model("catalog", "Anime")
    AnimeName = apps.get_model("catalog", "AnimeName")
    Synonym = apps.get_model("catalog", "Synonym")
    titles = Anime.objects.order_by("pk").values_list("pk", "type", "title", "title_english", "title_japanese")
    rows = titles.iterator(chunk_size=BATCH_TITLES)
    while batch := list(islice(rows, BATCH_TITLES)):
        types = {pk: type for pk, type, *_names in batch}
        names = {pk: list(own) for pk, _type, *own in batch}
        for pk, name in Synonym.objects.filter(anime__in=list(names)).values_list("anime_id", "title"):
            names[pk].append(name)
        AnimeName.objects.bulk_create(
            AnimeName(anime_id=pk, folded=text, squeezed=whole)
            for pk, own in names.items()
            for text, whole in sorted(_spellings(own))
        )
        recaps = [pk for pk, own in names.items() if looks_like_recap(own, types[pk])]
        Anime.objects.filter(pk__in=recaps, is_recap=None).update(is_recap=True)


def _spellings(names):
    words = [words_of(name) for name in names]
    return {(folded(some)[:FOLDED_CHARS], squeezed(some)[:SQUEEZED_CHARS]) for some in words if some}


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_trigram_index")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
