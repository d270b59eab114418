{{ tap_pinterest.report('account', ref('int_pinterest__ad_account_daily')) }}
