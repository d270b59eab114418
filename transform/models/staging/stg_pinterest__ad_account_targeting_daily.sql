{{ tap_pinterest.staged('ad_account_targeting_analytics') }}
