{{ config(alias='advertiser_report') }}
select
  {{ tap_pinterest.fivetran_day() }},
  ad_account_id as advertiser_id,
  {{ tap_pinterest.fivetran_metrics() }},
  {{ tap_pinterest.fivetran_synced() }}
from {{ ref('stg_pinterest__ad_account_daily') }}
