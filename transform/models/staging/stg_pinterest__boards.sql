{{ tap_pinterest.staged('boards') }}
