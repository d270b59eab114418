{{ tap_pinterest.facts('ad_targeting_analytics', ['ad_id', 'targeting_type', 'targeting_value'], ref('stg_pinterest__ad_targeting_daily')) }}
