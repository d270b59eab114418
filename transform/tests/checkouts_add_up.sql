-- Checkouts after clicks, engagements and views are all checkouts, in number and in value.
{{ config(severity=var('pinterest_reconciliation_severity', 'error')) }}
select *
from {{ ref('int_pinterest__ad_daily') }}
where checkouts <> coalesce(click_checkouts, 0) + coalesce(engagement_checkouts, 0) + coalesce(view_checkouts, 0)
  or abs(
    checkout_value - coalesce(click_checkout_value, 0) - coalesce(engagement_checkout_value, 0) - coalesce(view_checkout_value, 0)
  ) > {{ tap_pinterest.rounding() }}
