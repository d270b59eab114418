"""Trends as of today."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from pinterest_sandbox import api, specimens
from pinterest_sandbox.chance import Draws
from pinterest_sandbox.names import sentence

if TYPE_CHECKING:
    from pinterest_sandbox.calls import Call

_SUBJECTS: Final = ("nails", "haircut", "kitchen", "garden", "outfit", "torte", "حلوى", "ring 💍")
_TURNS: Final = ("spring", "simple", "for beginners", "small space", "dark", "90s", "mini", "cozy")
_WEEKS: Final = 52
_AHEAD: Final = 13
_AGES: Final = ("18-24", "25-34", "35-44", "45-49", "50-54", "55-64", "65+")
_MOST_TOPICS: Final = 5
_MOST_CATEGORIES: Final = 12
_ARTICLES: Final = 3


def keywords(call: Call) -> dict[str, Any]:
    """Keywords in the order of their rank, with a year of weeks."""
    values = call.values
    seed = [values[name] for name in ("region", "trend_type", "interests", "genders", "ages")]
    wanted = values["include_keywords"]
    found = []
    for number in range(len(_SUBJECTS) * len(_TURNS)):
        keyword = f"{_TURNS[number // len(_SUBJECTS)]} {_SUBJECTS[number % len(_SUBJECTS)]}"
        if wanted and not any(word in keyword for word in wanted):
            continue
        found.append((_draws(call, "rank", str(seed), keyword).share(), keyword))
    ranked = [keyword for _, keyword in sorted(found)]
    return {"trends": [_keyword(call, keyword) for keyword in ranked[: values["limit"]]]}


def _keyword(call: Call, keyword: str) -> dict[str, Any]:
    draws = _draws(call, "keyword", call.values["region"], keyword)
    made: dict[str, Any] = {
        "keyword": keyword,
        "has_prediction": draws.chance(0.5),
        "time_series": _weeks(call, draws, -_WEEKS, 0),
        "predicted_time_series": {},
        "demographics": None,
        **{f"pct_growth_{over}": draws.below(900) - 90 for over in ("wow", "mom", "yoy")},
    }
    if call.values["include_prediction"] and made["has_prediction"]:
        made["predicted_time_series"] = _weeks(call, draws, 1, _AHEAD)
    if call.values["include_demographics"]:
        made["demographics"] = {
            "age_distribution": _shares(draws, _AGES),
            "gender_distribution": _shares(draws, ("female", "male", "unspecified")),
        }
    return made


def featured_topics(call: Call) -> list[dict[str, Any]]:
    """Topics by interest; nothing rises in some."""
    allowed = api.operation("GET /trends/topics/featured").parameters["interest"].allowed
    wanted = call.values["interest"]
    return [
        {
            "interest": interest,
            "market": call.values["region"],
            "trends": [_topic(call, interest, number) for number in range(place % _MOST_TOPICS)],
        }
        for place, interest in enumerate(allowed)
        if wanted in (None, interest)
    ]


def _topic(call: Call, interest: str, number: int) -> dict[str, Any]:
    draws = _draws(call, "topic", call.values["region"], interest, number)
    return {
        "id": str(10**9 + draws.below(10**9)),
        "title": f"{sentence(draws)} {number + 1}",
        "description": sentence(draws),
        "percent_growth_mom": draws.below(500),
        "related_interests": [interest.lower()],
        "related_searches": [f"{turn} {_SUBJECTS[number]}" for turn in _TURNS[:number]],
        "time_series": _weeks(call, draws, -_WEEKS, 0),
        "pins": [_topic_pin(draws) for _ in range(draws.below(4))],
    }


def _topic_pin(draws: Draws) -> dict[str, Any]:
    pin_id = str(647 * 10**15 + draws.below(10**15))
    made: dict[str, Any] = {
        "id": pin_id,
        "src": f"https://i.pinimg.com/{pin_id}.jpg",
        "width": 236,
        "height": 354,
        "color": f"#{draws.below(1 << 24):06x}",
    }
    if draws.chance(0.5):
        made["vertical_offset"] = draws.below(100) / 100
    return made


def product_categories(call: Call) -> list[dict[str, Any]]:
    """Product categories in the order of their rank, by kind of engagement."""
    values = call.values
    engagement = values["engagement_type"] or "ENGAGEMENT"
    wanted = set(values["verticals"] or ())
    filters = str([values[name] for name in ("region", "ages", "genders")])
    found = []
    for number, category in enumerate(api.schema("ProductCategoryEnum")["enum"][:_MOST_CATEGORIES]):
        draws = _draws(call, "category", filters, engagement, category)
        verticals = [("FASHION", "HOME_DECOR", "BEAUTY")[number % 3]]
        if not wanted or wanted.intersection(verticals):
            found.append(
                {
                    "engagement_type": engagement,
                    "pct_change_mom": draws.below(400) - 50,
                    "percent_relative_volume": 100 - number * 7,
                    "product_category": category,
                    "verticals": verticals,
                    "pinterest_product_category_id": 10_000 + number,
                }
            )
    return found


def product_category_details(call: Call) -> list[dict[str, Any]]:
    """Product categories with their weeks, within the window asked for."""
    values = call.values
    weeks = (values["lookback_window"] or 365) // 7
    return [_category(call, name, weeks) for name in dict.fromkeys(values["product_categories"])]


def _category(call: Call, name: str, weeks: int) -> dict[str, Any]:
    engagement = call.values["engagement_type"] or ""
    draws = _draws(call, "details", call.values["region"], engagement, name)
    made = specimens.record("ProductCategoryDetails", draws)
    made.update(product_category=name, time_series=_weeks(call, draws, -weeks, 0))
    if made.get("demographics"):
        made["demographics"]["age"] = _shares(draws, _AGES)
    made["has_prediction"] = len(name) % 2 == 0
    predicted = _weeks(call, draws, 1, _AHEAD) if made["has_prediction"] else {}
    made["predicted_time_series"] = predicted
    return made


def editorial_articles(call: Call) -> list[dict[str, Any]]:
    """Articles on trends in a region."""
    region = call.values["region"]
    made = []
    for number in range(_ARTICLES):
        draws = Draws(call.world.seed, "article", region, number)
        article = specimens.record("TrendsEditorial", draws)
        made.append({**article, "title": f"{sentence(draws)} ({number + 1})"})
    return made


def _draws(call: Call, *parts: int | str) -> Draws:
    """Draws of the day: trends are of today, and other ones tomorrow."""
    return Draws(call.world.seed, "trends", call.today, *parts)


def _weeks(call: Call, draws: Draws, first: int, last: int) -> dict[str, int]:
    saturday = date.fromordinal(call.today - (call.today + 1) % 7)
    return {
        (saturday + timedelta(weeks=week)).isoformat(): draws.below(101)
        for week in range(first, last + 1)
    }


def _shares(draws: Draws, groups: tuple[str, ...]) -> dict[str, float]:
    parts = [1 + draws.below(50) for _ in groups]
    return {name: round(part / sum(parts), 3) for name, part in zip(groups, parts, strict=True)}
