{{ tap_pinterest.staged('campaign_analytics') }}
