{{ tap_pinterest.staged('pins') }}
