{{ tap_pinterest.staged('ad_accounts') }}
