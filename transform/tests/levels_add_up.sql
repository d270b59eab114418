-- Campaigns, ad groups and ads add up to their ad account on each day.
{{ config(severity=var('pinterest_reconciliation_severity', 'error')) }}
select * from {{ ref('pinterest__reconciliation') }} where not is_equal
