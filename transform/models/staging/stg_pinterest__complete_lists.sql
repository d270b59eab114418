{{ tap_pinterest.staged('complete_lists') }}
