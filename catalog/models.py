"""The catalogue: anime with their titles, genres, studios and franchises."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.folding import FOLDED_CHARS, SQUEEZED_CHARS
from catalog.querysets import BEST_RATED, MOST_MEMBERS, AnimeQuerySet


class AnimeType(models.TextChoices):
    TV = "TV", _("TV")
    MOVIE = "Movie", _("Movie")
    OVA = "OVA", _("OVA")
    ONA = "ONA", _("ONA")
    SPECIAL = "Special", _("Special")
    MUSIC = "Music", _("Music")


class Season(models.TextChoices):
    WINTER = "winter", _("Winter")
    SPRING = "spring", _("Spring")
    SUMMER = "summer", _("Summer")
    FALL = "fall", _("Fall")


class AiringStatus(models.TextChoices):
    FINISHED = "finished", _("Finished")
    AIRING = "airing", _("Airing")
    UPCOMING = "upcoming", _("Not yet aired")


class AgeRating(models.TextChoices):
    G = "G", _("G - all ages")
    PG = "PG", _("PG - children")
    PG13 = "PG-13", _("PG-13 - teens 13 or older")
    R = "R", _("R - 17+ (violence and profanity)")
    R_PLUS = "R+", _("R+ - mild nudity")
    RX = "Rx", _("Rx - adult")


class GenreKind(models.TextChoices):
    GENRE = "genre", _("Genre")
    THEME = "theme", _("Theme")
    DEMOGRAPHIC = "demographic", _("Demographic")


class Genre(models.Model):
    """A genre, a theme or a demographic: the labels by which titles are told apart."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(_("kind"), max_length=12, choices=GenreKind, default=GenreKind.GENRE)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Studio(models.Model):
    name = models.CharField(_("name"), max_length=120, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Franchise(models.Model):
    """Titles that tell one story or share one world. A title outside any group is a franchise of its own."""

    name = models.CharField(_("name"), max_length=300)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Anime(models.Model):
    """One title of the catalogue. ``id`` is its MyAnimeList id; missing facts are NULL or empty, never 0."""

    id = models.PositiveIntegerField(_("MyAnimeList id"), primary_key=True, validators=[MinValueValidator(1)])
    title = models.CharField(_("title"), max_length=300, help_text=_("In Latin letters, as first published."))
    title_english = models.CharField(_("English title"), max_length=300, blank=True)
    title_japanese = models.CharField(_("Japanese title"), max_length=300, blank=True)
    type = models.CharField(_("type"), max_length=10, choices=AnimeType, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=AiringStatus, blank=True)
    episodes = models.PositiveSmallIntegerField(_("episodes"), null=True, blank=True)
    duration_minutes = models.PositiveSmallIntegerField(_("minutes an episode"), null=True, blank=True)
    year = models.PositiveSmallIntegerField(
        _("year"), null=True, blank=True, validators=[MinValueValidator(1900), MaxValueValidator(2100)]
    )
    season = models.CharField(_("season"), max_length=6, choices=Season, blank=True)
    aired_from = models.DateField(_("aired from"), null=True, blank=True)
    aired_to = models.DateField(_("aired to"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=40, blank=True)
    age_rating = models.CharField(_("age rating"), max_length=5, choices=AgeRating, blank=True)
    is_adult = models.BooleanField(_("adult"), default=False)
    is_recap = models.BooleanField(
        _("recap"), null=True, blank=True,
        help_text=_("Tells only what other titles told. Unknown: an import may decide it by the names."),
    )  # fmt: skip
    synopsis = models.TextField(_("synopsis"), blank=True)
    image_url = models.URLField(_("image"), max_length=500, blank=True)
    community_rating = models.FloatField(
        _("community rating"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(10)]
    )
    members = models.PositiveIntegerField(_("members"), null=True, blank=True)
    genres = models.ManyToManyField(Genre, verbose_name=_("genres"), blank=True, related_name="anime")
    studios = models.ManyToManyField(Studio, verbose_name=_("studios"), blank=True, related_name="anime")
    franchise = models.ForeignKey(
        Franchise, verbose_name=_("franchise"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="anime",
    )  # fmt: skip
    franchise_order = models.PositiveSmallIntegerField(_("place in watch order"), null=True, blank=True)
    updated = models.DateTimeField(_("updated"), auto_now=True)

    objects = AnimeQuerySet.as_manager()

    class Meta:
        verbose_name = _("anime")
        verbose_name_plural = _("anime")
        ordering = ["title"]
        indexes = [
            models.Index(MOST_MEMBERS, "id", name="anime_by_members"),
            models.Index(BEST_RATED, "id", name="anime_by_rating"),
            models.Index(fields=["year", "id"], name="anime_by_year"),
            models.Index(Lower("title"), name="anime_by_title"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(community_rating=None) | models.Q(community_rating__range=(1, 10)),
                name="anime_community_rating_1_to_10",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("anime_detail", args=[self.pk])


class Synonym(models.Model):
    """Another name by which people look for a title."""

    anime = models.ForeignKey(Anime, on_delete=models.CASCADE, related_name="synonyms")
    title = models.CharField(_("title"), max_length=300)

    class Meta:
        ordering = ["title"]
        constraints = [models.UniqueConstraint(fields=["anime", "title"], name="synonym_once_per_anime")]

    def __str__(self) -> str:
        return self.title


class AnimeName(models.Model):
    """A name of a title as search compares it: one row for each way its titles and synonyms are spelt.

    ``catalog.names`` keeps the rows like the titles. On SQLite triggers on this table keep the trigram index: a
    migration that makes the table anew has to make them anew.
    """

    anime = models.ForeignKey(Anime, on_delete=models.CASCADE, related_name="names", db_index=False)
    folded = models.CharField(max_length=FOLDED_CHARS)
    squeezed = models.CharField(max_length=SQUEEZED_CHARS)

    class Meta:
        verbose_name = _("name in the search")
        verbose_name_plural = _("names in the search")
        # The one for trigrams differs with the database, so a migration makes it by hand.
        indexes = [models.Index(fields=["squeezed"], name="anime_name_squeezed", opclasses=["varchar_pattern_ops"])]
        constraints = [models.UniqueConstraint(fields=["anime", "folded"], name="name_once_per_anime")]

    def __str__(self) -> str:
        return self.folded.strip()
