"""Ready-made rows for tests: what is not named gets a plain, valid value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.models import User
from catalog.models import AgeRating, Anime, AnimeType, Franchise, Genre, Studio, Synonym
from catalog.names import keep_names
from recommendations.models import ListEntry, ListStatus, Profile, ProfileSource

if TYPE_CHECKING:
    # factory-boy says that it is typed, but neither its declarations nor the calls of a factory are.
    factory: Any
    DjangoModelFactory: Any
else:
    import factory
    from factory.django import DjangoModelFactory

PASSWORD = "a password for tests"


class UserFactory(DjangoModelFactory):
    """A member who signs in with ``PASSWORD``; ``admin=True`` makes an administrator."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    class Params:
        admin = factory.Trait(is_staff=True, is_superuser=True)

    username = factory.Sequence(lambda number: f"member{number}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.org")
    password = factory.django.Password(PASSWORD)


class GenreFactory(DjangoModelFactory):
    class Meta:
        model = Genre
        django_get_or_create = ("slug",)

    name = factory.Sequence(lambda number: f"Genre {number}")
    slug = factory.LazyAttribute(lambda genre: genre.name.lower().replace(" ", "-"))


class StudioFactory(DjangoModelFactory):
    class Meta:
        model = Studio
        django_get_or_create = ("name",)

    name = factory.Sequence(lambda number: f"Studio {number}")


class FranchiseFactory(DjangoModelFactory):
    class Meta:
        model = Franchise

    name = factory.Sequence(lambda number: f"Franchise {number}")


class AnimeFactory(DjangoModelFactory):
    """A released TV series. ``genres=["Action", ...]``, ``studios=[...]`` and ``synonyms=[...]`` take names."""

    class Meta:
        model = Anime
        skip_postgeneration_save = True

    # Far above the ids that tests write by hand.
    id = factory.Sequence(lambda number: 900_001 + number)
    title = factory.LazyAttribute(lambda anime: f"Anime {anime.id}")
    type = AnimeType.TV
    episodes = 12
    year = 2010
    age_rating = AgeRating.PG13
    community_rating = 7.5
    members = 10_000

    @factory.post_generation
    def genres(self: Any, create: bool, names: list[str] | None, **kwargs: Any) -> None:
        if create and names:
            self.genres.set([GenreFactory(name=name) for name in names])

    @factory.post_generation
    def studios(self: Any, create: bool, names: list[str] | None, **kwargs: Any) -> None:
        if create and names:
            self.studios.set([StudioFactory(name=name) for name in names])

    @factory.post_generation
    def synonyms(self: Any, create: bool, names: list[str] | None, **kwargs: Any) -> None:
        if create and names:
            Synonym.objects.bulk_create(Synonym(anime=self, title=name) for name in names)

    @classmethod
    def _after_postgeneration(cls, instance: Anime, create: bool, results: Any = None) -> None:
        if create:
            keep_names([instance.pk])


class ProfileFactory(DjangoModelFactory):
    """A visitor's profile; ``user=...`` makes it a member's, ``imported=True`` that of a data set's member."""

    class Meta:
        model = Profile

    class Params:
        imported = factory.Trait(
            source=ProfileSource.MAL, external_id=factory.Sequence(lambda number: str(100_000 + number))
        )


class EntryFactory(DjangoModelFactory):
    """A completed title rated 8."""

    class Meta:
        model = ListEntry

    profile = factory.SubFactory(ProfileFactory)
    anime = factory.SubFactory(AnimeFactory)
    rating = 8
    status = ListStatus.COMPLETED
