{{ tap_pinterest.facts('campaign_targeting_analytics', ['campaign_id', 'targeting_type', 'targeting_value'], ref('stg_pinterest__campaign_targeting_daily')) }}
