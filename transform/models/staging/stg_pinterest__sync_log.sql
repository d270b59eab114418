{{ tap_pinterest.staged('sync_log') }}
