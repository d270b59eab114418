{{ tap_pinterest.staged('user_account') }}
