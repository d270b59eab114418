{{ tap_pinterest.staged('ad_analytics') }}
