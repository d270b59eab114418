{{ tap_pinterest.staged('product_group_targeting_analytics') }}
