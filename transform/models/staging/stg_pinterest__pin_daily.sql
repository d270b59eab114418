{{ tap_pinterest.staged('pin_analytics') }}
