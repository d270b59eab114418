{{ tap_pinterest.staged('keyword_analytics') }}
