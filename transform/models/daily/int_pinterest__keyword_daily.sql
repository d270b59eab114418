{{ tap_pinterest.facts('keyword_analytics', ['keyword_id'], ref('stg_pinterest__keyword_daily')) }}
