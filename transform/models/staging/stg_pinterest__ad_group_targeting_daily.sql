{{ tap_pinterest.staged('ad_group_targeting_analytics') }}
