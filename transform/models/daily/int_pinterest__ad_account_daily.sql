{{ tap_pinterest.facts('ad_account_analytics', ['ad_account_id'], ref('stg_pinterest__ad_account_daily')) }}
