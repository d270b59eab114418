{{ tap_pinterest.report('ad_group', ref('int_pinterest__ad_group_daily')) }}
