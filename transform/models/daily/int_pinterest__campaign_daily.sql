{{ tap_pinterest.facts('campaign_analytics', ['campaign_id'], ref('stg_pinterest__campaign_daily')) }}
