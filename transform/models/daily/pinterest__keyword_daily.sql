{{ tap_pinterest.report('keyword', ref('int_pinterest__keyword_daily')) }}
