{{ tap_pinterest.report('campaign', ref('int_pinterest__campaign_daily')) }}
