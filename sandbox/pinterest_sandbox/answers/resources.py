"""Lists that are the same for everybody: metrics, countries, targeting options, terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinterest_sandbox import api
from pinterest_sandbox.chance import Draws
from pinterest_sandbox.kinds import audiences
from pinterest_sandbox.refusals import not_found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinterest_sandbox.calls import Call

DISPLAY_NAMES: Final = {
    "CTR": "CTR (%)",
    "CTR_2": "CTR (%)",
    "ECPM_IN_MICRO_DOLLAR": "CPM",
    "PAID_IMPRESSION": "Paid impressions",
    "SPEND_IN_DOLLAR": "Spend",
    "TOTAL_CONVERSIONS": "Total conversions",
}
"""Display names of some metrics; most others take the words of their names."""
_ORDERED: Final = {"SYNC": (False,), "ASYNC": (True,), None: (False, True)}
"""Whether the columns of each `report_type` are those of ordered reports."""
_WITHOUT_DISPLAY_NAME: Final = 9
_COUNTRIES: Final = (
    ("US", "USD", "United States"),
    ("GB", "GBP", "United Kingdom"),
    ("DE", "EUR", "Germany"),
    ("NO", "NOK", "Norway"),
    ("JP", "JPY", "Japan"),
    ("BR", "BRL", "Brazil"),
    ("CI", "USD", "Côte d'Ivoire"),
)
_QUESTIONS: Final = ("FULL_NAME", "EMAIL", "PHONE_NUMBER", "ZIP_CODE", "CUSTOM")
_INTERESTS: Final = ("Animals", "Art", "Food and drinks", "Home decor", "Travel", "Women's fashion")
_CHILDREN: Final = ("DIY", "vintage", "for two 💛")
_FIRST_INTEREST: Final = 905_661_505_034
_OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "APPTYPE": {"android_mobile": "Android mobile", "iphone": "iPhone", "web": "Web"},
    "GENDER": {"female": "Female", "male": "Male", "unknown": "Unspecified"},
    "LOCALE": {"en-US": "English (US)", "nb": "Norsk bokmål", "ar": "العربية"},
    "AGE_BUCKET": {"18-24": "18-24", "25-34": "25-34", "65+": "65+"},
    "LOCATION": {"500": "U.S.: Portland-Auburn", "807": "U.S.: San Francisco", "36113": "Moreton"},
    "GEO": {"US": "United States", "US-CA": "California", "NO": "Norway"},
    "KEYWORD": {},
}
_ENDINGS: Final = (
    " ideas",
    " aesthetic",
    " diy",
    " für anfänger",
    " wallpaper 🌸",
    " outfits",
    " 2026",
)


def metrics_ready_state(call: Call) -> dict[str, bool]:
    """Whether the metrics of a day are final; never for today and later."""
    age = call.today - call.values["date"].toordinal()
    return {
        "conversion_metrics_ready": age >= call.settings.readiness.conversion_days,
        "non_conversion_metrics_ready": age >= call.settings.readiness.delivery_days,
    }


def delivery_metrics(call: Call) -> dict[str, Any]:
    """Every column that a report can have, and the metrics of Pins and users; some unnamed."""
    wanted = call.values["report_type"]
    lists = [api.columns(ordered=ordered) for ordered in _ORDERED[wanted]]
    categories = {name: "ADS" for each in (*lists, call.settings.columns) for name in each}
    organic = api.operation("GET /pins/{pin_id}/analytics").parameters["metric_types"].allowed
    for name in organic:
        categories.setdefault(name, "ORGANIC")
    return {
        "items": [
            _metric(number, name, category)
            for number, (name, category) in enumerate(sorted(categories.items()))
        ]
    }


def _metric(number: int, name: str, category: str) -> dict[str, str]:
    words = name.replace("_", " ").lower()
    made = {"name": name, "category": category, "definition": f"What “{words}” counts."}
    if number % _WITHOUT_DISPLAY_NAME or name in DISPLAY_NAMES:
        made["display_name"] = DISPLAY_NAMES.get(name, words.capitalize())
    return made


def ad_account_countries(call: Call) -> dict[str, Any]:  # noqa: ARG001  the same for everybody
    """Countries that ad accounts can be in."""
    return {
        "items": [
            {"code": code, "currency": currency, "index": index, "name": name}
            for index, (code, currency, name) in enumerate(_COUNTRIES)
        ]
    }


def lead_form_questions(call: Call) -> list[str]:  # noqa: ARG001  the same for everybody
    """Names of questions; the description does not define their form."""
    return list(_QUESTIONS)


def targeting_options(call: Call) -> list[dict[str, str]]:
    """Targeting options as one object of names by id."""
    kind = call.values["targeting_type"]
    if kind == "INTEREST":
        return [{str(interest): name for interest, (name, _, _) in _interests().items()}]
    if kind in _OPTIONS:
        return [dict(_OPTIONS[kind])]
    if not call.values["ad_account_id"]:
        return []
    account = call.ad_account()
    return [{audience.id: audience.label for audience in account.all(audiences.AUDIENCES)}]


def interest(call: Call) -> dict[str, Any]:
    """One interest with its children."""
    interest_id = call.values["interest_id"]
    found = _interests().get(int(interest_id)) if interest_id.isdecimal() else None
    if found is None:
        raise not_found(404, "interest")
    name, level, children = found
    return {
        "id": interest_id,
        "name": name,
        "level": level,
        "child_interests": [str(child) for child in children],
    }


def interest_ids() -> list[str]:
    """The ids of all interests."""
    return [str(interest_id) for interest_id in _interests()]


def related_terms(call: Call) -> dict[str, Any]:
    """Terms close to each term; the last of several has none."""
    terms = list(dict.fromkeys(call.values["terms"]))
    lists = [{"term": term, "related_terms": _continued(call, term, "related")} for term in terms]
    if len(lists) > 1:
        lists[-1]["related_terms"] = []
    count = sum(len(each["related_terms"]) for each in lists)
    return {"id": terms[0], "related_term_count": count, "related_terms_list": lists}


def suggested_terms(call: Call) -> list[str]:
    """Popular terms that begin with a term."""
    return _continued(call, call.values["term"], "suggested")[: call.values["limit"]]


def _continued(call: Call, term: str, salt: str) -> list[str]:
    draws = Draws(call.world.seed, "terms", salt, term)
    return [term + ending for ending in _ENDINGS if draws.chance(0.8)]


def _interests() -> dict[int, tuple[str, int, list[int]]]:
    """The interests by id, each with its name, level and children."""
    found: dict[int, tuple[str, int, list[int]]] = {}
    for number, name in enumerate(_INTERESTS):
        first = _FIRST_INTEREST + number * 100
        children = [first + 1 + place for place in range(number % (len(_CHILDREN) + 1))]
        found[first] = (name, 1, children)
        found.update(
            (child, (f"{name} {_CHILDREN[place]}", 2, [])) for place, child in enumerate(children)
        )
    return found
