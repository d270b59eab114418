{{ tap_pinterest.report('ad', ref('int_pinterest__ad_daily')) }}
