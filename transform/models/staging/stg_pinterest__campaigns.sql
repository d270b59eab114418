{{ tap_pinterest.staged('campaigns') }}
