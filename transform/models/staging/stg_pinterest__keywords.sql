{{ tap_pinterest.staged('keywords') }}
