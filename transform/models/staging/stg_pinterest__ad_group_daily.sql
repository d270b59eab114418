{{ tap_pinterest.staged('ad_group_analytics') }}
