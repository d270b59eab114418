{{ tap_pinterest.staged('ad_targeting_analytics') }}
