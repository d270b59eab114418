{{ tap_pinterest.facts('ad_group_analytics', ['ad_group_id'], ref('stg_pinterest__ad_group_daily')) }}
