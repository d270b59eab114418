{{ tap_pinterest.facts('product_group_analytics', ['product_group_id'], ref('stg_pinterest__product_group_daily')) }}
