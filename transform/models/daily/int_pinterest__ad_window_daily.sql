{{ tap_pinterest.facts('ad_analytics', ['ad_id'], ref('stg_pinterest__ad_window_daily'), by=['report']) }}
