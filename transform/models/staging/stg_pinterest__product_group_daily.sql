{{ tap_pinterest.staged('product_group_analytics') }}
