{{ tap_pinterest.staged('user_account_metrics') }}
