{{ tap_pinterest.staged('campaign_targeting_analytics') }}
