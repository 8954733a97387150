"""The index by which each database finds names that are spelt much alike (see catalog/search/dialects.py)."""

from django.db import migrations

POSTGRES = (
    # A trusted extension since Postgres 13: the owner of the database may create it.
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    # The list of rows that the index does not hold yet (in kB) makes imports fast, but every search has to read it.
    "CREATE INDEX anime_name_trigrams ON catalog_animename USING gin (folded gin_trgm_ops) "
    "WITH (gin_pending_list_limit = 512)",
)
POSTGRES_BACK = ("DROP INDEX anime_name_trigrams",)

# An index of its own beside the table, which holds the texts; triggers are SQLite's way to keep such a pair alike.
_REMOVE = (
    "INSERT INTO catalog_animename_trigrams (catalog_animename_trigrams, rowid, folded) "
    "VALUES ('delete', old.id, old.folded);"
)
_ADD = "INSERT INTO catalog_animename_trigrams (rowid, folded) VALUES (new.id, new.folded);"
SQLITE = (
    "CREATE VIRTUAL TABLE catalog_animename_trigrams USING fts5("
    "folded, content='catalog_animename', content_rowid='id', tokenize='trigram case_sensitive 1')",
    # Which trigrams there are, and in how many names; a view of the index, not another copy.
    "CREATE VIRTUAL TABLE catalog_animename_terms USING fts5vocab(catalog_animename_trigrams, row)",
    f"CREATE TRIGGER catalog_animename_added AFTER INSERT ON catalog_animename BEGIN {_ADD} END",
    f"CREATE TRIGGER catalog_animename_removed AFTER DELETE ON catalog_animename BEGIN {_REMOVE} END",
    f"CREATE TRIGGER catalog_animename_changed AFTER UPDATE ON catalog_animename BEGIN {_REMOVE} {_ADD} END",
)
SQLITE_BACK = (
    "DROP TRIGGER catalog_animename_added",
    "DROP TRIGGER catalog_animename_removed",
    "DROP TRIGGER catalog_animename_changed",
    "DROP TABLE catalog_animename_terms",
    "DROP TABLE catalog_animename_trigrams",
)


def forwards(apps, schema_editor):
    for statement in POSTGRES if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def backwards(apps, schema_editor):
    for statement in POSTGRES_BACK if schema_editor.connection.vendor == "postgresql" else SQLITE_BACK:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_names_and_recaps")]
    operations = [migrations.RunPython(forwards, backwards)]
