{{ tap_pinterest.staged('listed_items') }}
