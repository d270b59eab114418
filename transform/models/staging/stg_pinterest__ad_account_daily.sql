{{ tap_pinterest.staged('ad_account_analytics') }}
