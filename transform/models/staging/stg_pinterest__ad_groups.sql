{{ tap_pinterest.staged('ad_groups') }}
