"""The user's profile, followers, and the people, boards and interests that a user follows."""

from __future__ import annotations

from tap_pinterest.reading.calls import Setting, User
from tap_pinterest.reading.inventory import USER_ACCOUNT, USER_FIELDS
from tap_pinterest.streams.bases.dataset import DatasetStream, SnapshotStream


class UserAccount(DatasetStream):
    """The profile of a user, with its counts at the time of the run."""

    name = "user_account"
    path = USER_ACCOUNT
    group = "organic"
    id_field, *parent_fields = USER_FIELDS


class UserAccountMetrics(SnapshotStream, UserAccount):
    """The counts of a profile on the day of the run: boards, Pins, followers, monthly views."""

    name = "user_account_metrics"
    primary_keys = ("id", "date")
    left_out = frozenset({"about", "account_type", "business_name", "profile_image", "website_url"})


class Followers(DatasetStream):
    """Names of the people who follow the token's user."""

    name = "followers"
    path = "/user_account/followers"
    group = "personal"
    primary_keys = ("username",)


class Following(DatasetStream):
    """Names of the people whom a user follows."""

    name = "following"
    path = "/user_account/following"
    group = "personal"
    primary_keys = ("user_id", "username")
    per = (User(),)


class FollowingBoards(DatasetStream):
    """Boards that a user follows."""

    name = "following_boards"
    path = "/user_account/following/boards"
    group = "personal"
    primary_keys = ("user_id", "id")
    per = (User(),)


class UserFollowingInterests(DatasetStream):
    """Interests that one of the `usernames` follows."""

    name = "user_following_interests"
    path = "/users/{username}/interests/follow"
    group = "personal"
    primary_keys = ("username", "id")
    per = (Setting("usernames", "username"),)
