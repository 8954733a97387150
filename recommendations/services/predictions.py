"""What somebody would rate a title, as the champion sees it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

from catalog.models import Anime
from ml.types import PredictedRating
from recommendations.models import Profile
from recommendations.selectors.profiles import scoring_profile
from recommendations.services.engine import current_engine

# With fewer ratings a prediction is what everybody gives, and would be told as if it were about the person.
FEW_RATINGS = 5


@dataclass(frozen=True, slots=True)
class ToldRating:
    """A predicted rating as it is told: to one decimal, and what is likely (four cases of five) in halves, outwards,
    for nobody rates finer than that. ``support``: on how many of the person's ratings it rests."""

    rating: float
    low: float
    high: float
    support: int

    @classmethod
    def of(cls, predicted: PredictedRating) -> ToldRating:
        return cls(
            rating=round(predicted.rating, 1),
            low=floor(2 * predicted.low) / 2,
            high=ceil(2 * predicted.high) / 2,
            support=predicted.support,
        )


@dataclass(frozen=True, slots=True)
class RatingForecast:
    """``told``: what to expect; ``None`` while the person has rated too little: ``missing`` more ratings are needed
    then."""

    told: ToldRating | None
    missing: int = 0


def forecast_rating(*, profile: Profile | None, anime: Anime) -> RatingForecast | None:
    """What the person would rate ``anime``, from their other ratings; ``None`` where no model serves, or the one that
    does tells nothing of this title."""
    engine = current_engine()
    if engine is None or not engine.recommender.tells_rating_of(anime.pk):
        return None
    predicted = engine.recommender.predict_rating(scoring_profile(profile), anime.pk)
    support = 0 if predicted is None else predicted.support
    if predicted is None or support < FEW_RATINGS:
        return RatingForecast(None, missing=FEW_RATINGS - support)
    return RatingForecast(ToldRating.of(predicted))
