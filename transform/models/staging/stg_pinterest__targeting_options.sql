{{ tap_pinterest.staged('targeting_options') }}
