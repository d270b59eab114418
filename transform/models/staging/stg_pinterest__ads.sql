{{ tap_pinterest.staged('ads') }}
